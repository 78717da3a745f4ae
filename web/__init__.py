"""The door of the web: HTTP and WebSocket in, and nothing decided here."""
