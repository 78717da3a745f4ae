"""What is stored: one file a noun. Nothing happens here."""
