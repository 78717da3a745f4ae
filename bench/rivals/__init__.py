"""What the API is measured against: the same page made in the usual way, and made by hand, behind the same server."""
