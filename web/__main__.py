"""A web process: `python -m web [descriptor of a socket that already listens]`."""

from __future__ import annotations

import socket
import sys

import uvicorn

from kit import config, log

STOP_SECONDS_MAX = 4


def main(application: str = "web.app:app") -> None:
    """Serve until SIGTERM or Ctrl-C; open subscriptions are closed after a few seconds. Benches bring their own."""
    settings = config.settings()
    log.start(settings.log_level, settings.log_format)
    sockets = [socket.socket(fileno=int(sys.argv[1]))] if len(sys.argv) > 1 else None
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            factory=True,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=STOP_SECONDS_MAX,
            ws_ping_interval=20,
            ws_ping_timeout=20,
            ws_max_size=1_000_000,
            h11_max_incomplete_event_size=64_000,
        )
    )
    server.run(sockets=sockets)


if __name__ == "__main__":
    main()
