"""The engine: leads contacts through automations, a thousand at a time."""
