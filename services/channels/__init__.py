"""The ways out: whatever leaves the house for the network leaves through one of these."""
