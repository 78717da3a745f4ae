"""What follows from coming into a rule that is watched, and from leaving it: one kind of rule a file."""
