"""One file a kind of form action; the kind is the file name."""
