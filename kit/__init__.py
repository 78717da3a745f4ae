"""The cellar: tools that know nothing of contacts."""
