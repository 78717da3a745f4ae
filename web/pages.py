"""The few pages that strangers see: plain HTML, without scripts, cookies or anything from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from starlette.responses import HTMLResponse

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {"content-security-policy": POLICY, "x-robots-tag": "noindex"}
_STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}button{font:inherit}"


def page(title: str, *paragraphs: str, button: str | None = None, status: int = 200) -> HTMLResponse:
    """A page of a few sentences; with a `button`, a press on it is a POST to the page's own address."""
    return HTMLResponse(_html(title, paragraphs, button), status, HEADERS)


def _html(title: str, paragraphs: Sequence[str], button: str | None) -> str:
    inside = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(each)}</p>" for each in paragraphs)]
    if button is not None:
        inside.append(f'<form method="post"><button>{escape(button)}</button></form>')
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><body>{''.join(inside)}"
    )
