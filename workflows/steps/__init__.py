"""One file a kind of step; the kind is the file name."""
