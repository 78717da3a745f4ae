"""`python -m cli` is the `parcours` command."""

from cli import main

main()
