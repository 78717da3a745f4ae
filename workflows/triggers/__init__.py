"""One file a kind of trigger; the kind is the file name."""
