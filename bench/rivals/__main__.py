"""The web process of the bench: the server of the product, with the rivals beside it."""

from web.__main__ import main

if __name__ == "__main__":
    main("bench.rivals.app:app")
