"""The language: rules about contacts, compiled to SQL."""
