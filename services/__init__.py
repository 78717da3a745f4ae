"""The business: one file a noun, verbs that act on sets of contacts."""
