"""The web server: which address answers what, what is around every answer, and what is open while it runs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from kit import bell, broker, config, db, memory
from kit.limiter import Limiter
from web import confirm, events, files, forms, graphql, mail
from web.envelope import Envelope
from web.errors import on_http_exception
from web.health import health
from web.metrics import metrics


def app() -> Starlette:
    """The ASGI application, by the settings of this process."""
    settings = config.settings()
    routes: list[BaseRoute] = [
        Route("/", lambda _request: RedirectResponse("/graphql")),
        Route("/health", health),
        Route("/metrics", metrics),
        *graphql.routes(),
        *forms.routes(),
        *events.routes(),
        *confirm.routes(),
        *mail.routes(),
        *files.routes(),
    ]
    middleware = [Middleware(Envelope)]
    if settings.allowed_origins:
        middleware.append(
            Middleware(
                ApiOrigins,
                allow_origins=settings.allowed_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["authorization", "content-type"],
            )
        )
    return Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={HTTPException: on_http_exception},
        lifespan=lifespan,
    )


class ApiOrigins(CORSMiddleware):
    """Which websites may use the API. Every form, and every site that tells of its visitors, says that for itself."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        open_to_all = scope.get("path", "").startswith(("/forms/", "/events", "/parcours.js"))
        await (self.app if open_to_all else super().__call__)(scope, receive, send)


@contextlib.asynccontextmanager
async def lifespan(server: Starlette) -> AsyncIterator[None]:
    """Open while the server runs: the pool, and the doorbell to the workers. Neither needs to be there at the start."""
    settings = config.settings()
    await db.connect(settings.server(), pool_size=settings.pool_size)
    server.state.hints = broker.build(settings.broker_url())
    server.state.limiter = Limiter(settings.broker_url())
    server.state.probe = None
    doorbell = broker.Doorbell(server.state.hints)
    bell.hang(doorbell.ring)
    memory.settle()
    try:
        async with graphql.live():
            yield
    finally:
        bell.hang(None)
        await doorbell.close()
        await server.state.limiter.close()
        await db.disconnect()
