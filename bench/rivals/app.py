"""The web server of the product with two addresses more: /loaders and /bare."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route

from bench.rivals import bare, loaders
from web.app import app as product


def app() -> Starlette:
    """All three behind the same middleware, pool and token check."""
    built = product()
    built.router.routes += [Route("/loaders", loaders.door()), Route("/bare", bare.page, methods=["POST"])]
    return built
