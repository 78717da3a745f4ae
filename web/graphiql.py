"""The page a browser gets at `/graphql`: GraphiQL from our own disk, without a single request to anybody else."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ASSETS_PATH = "/static/graphiql"
FOLDER = Path(__file__).parent / "static" / "graphiql"

# Styles are set by the editor's own code; scripts only come from files.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


class _Assets(StaticFiles):
    """The page names each file with a mark of its content, so browsers may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        marked = scope["query_string"].startswith(b"v=")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if marked else "no-cache"
        return response


def assets() -> StaticFiles:
    """The files of the page."""
    return _Assets(directory=FOLDER)


def page() -> HTMLResponse:
    """The page itself; the token, if any, stays in the fragment of the address, which no server sees."""
    headers = {"content-security-policy": POLICY, "cache-control": "no-cache", "vary": "accept"}
    return HTMLResponse(_html(), headers=headers)


@lru_cache(maxsize=1)
def _html() -> str:
    html = (FOLDER / "page.html").read_text()
    for file in FOLDER.iterdir():
        mark = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        html = html.replace(f'{ASSETS_PATH}/{file.name}"', f'{ASSETS_PATH}/{file.name}?v={mark}"')
    return html
