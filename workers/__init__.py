"""The door of background work: hints are heard here, and a tick finds what no hint told of."""
