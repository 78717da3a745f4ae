"""What a rule can say about a contact: one condition a file."""
