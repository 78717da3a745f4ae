"""The kinds of jobs that need nothing of the engine, one card a file."""
