"""The kinds of jobs that also move contacts through automations, one card a file."""
