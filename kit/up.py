"""The whole server as one tree of processes: PostgreSQL, Valkey, the web server and the workers, watched over."""

from __future__ import annotations

import contextlib
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

from kit import children, config, log
from kit.config import Settings
from kit.datafolder import Addresses, DataFolder
from kit.embedded import Postgres, Valkey
from kit.errors import Problem, Refused
from kit.supervisor import Service, Supervisor

BACKLOG = 512

# -P: modules come from where Parcours is installed, never from the folder it is started in
PYTHON = [sys.executable, "-P", "-m"]


def run(settings: Settings, prepare: Callable[[Addresses], None], announce: Callable[[str], None]) -> None:
    """Start everything and keep it running until SIGTERM or Ctrl-C.

    `prepare` is called once the database answers and before anybody is served, `announce` with the address when
    everything is well. Refused: a port that is taken, a data folder that is in use.
    """
    log.start(settings.log_level, settings.log_format)
    supervisor = Supervisor()
    supervisor.hear_signals()
    folder = DataFolder(settings.data)
    with listening(settings.host, settings.port) as door:
        folder.own()
        try:
            addresses = _start_servers(settings, folder, supervisor)
            prepare(addresses)
            _start_doors(settings, addresses, supervisor, door)

            def tell() -> None:
                folder.tell(addresses, **{each.name: each.child.pid for each in supervisor.services if each.child})

            tell()
            address = f"http://{_visible(settings.host)}:{door.getsockname()[1]}"
            supervisor.watch(tell, until=lambda: _is_well(address))
            if not supervisor.stopping:
                announce(address)
            supervisor.watch(tell)
        finally:
            supervisor.stop()
            folder.release()


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens. We keep it while the web server starts again, so that nobody is turned away meanwhile."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
        except OSError as error:
            raise Refused(
                Problem("PORT", f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with --port.")
            ) from None
        door.listen(BACKLOG)
        yield door


def _start_servers(settings: Settings, folder: DataFolder, supervisor: Supervisor) -> Addresses:
    """The two servers, unless the operator has named others."""

    def start(server: Postgres | Valkey) -> Callable[[], children.Child]:
        def begin() -> children.Child:
            server.start()
            assert server.process is not None
            return server.process

        return begin

    if settings.database_url is None:
        supervisor.add(Service("postgres", start(folder.postgres), folder.postgres.stop_signal))
    if settings.redis_url is None:
        supervisor.add(Service("valkey", start(folder.valkey)))
    return Addresses(
        settings.database_url.get_secret_value() if settings.database_url else folder.addresses.database_url,
        settings.redis_url.get_secret_value() if settings.redis_url else folder.addresses.redis_url,
    )


def _start_doors(settings: Settings, addresses: Addresses, supervisor: Supervisor, door: socket.socket) -> None:
    surroundings = config.environment(DATABASE_URL=addresses.database_url, REDIS_URL=addresses.redis_url)
    number = door.fileno()

    def web() -> children.Child:
        return children.spawn([*PYTHON, "web", str(number)], environment=surroundings, keep=[number])

    def worker() -> children.Child:
        return children.spawn([*PYTHON, "workers"], environment=surroundings)

    workers = [Service(f"worker{place}", worker) for place in range(1, settings.worker_processes + 1)]
    supervisor.add(Service("web", web), *workers)


def _visible(host: str) -> str:
    """The address to show to a browser on this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


def _is_well(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
