"""Where contacts are imported from: one file a way in."""
