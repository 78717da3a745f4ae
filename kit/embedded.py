"""PostgreSQL and Valkey as children of this process: a server with nothing to install."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kit import children, memory
from kit.programs import NotStarted, postgres_programs, valkey_program

if TYPE_CHECKING:
    from kit.db import Server
    from kit.sql import Sql

STOP_SECONDS_MAX = 4
CHILDREN_SECONDS = 0.3  # what PostgreSQL's own processes need to see that their parent was killed
PORT = 5432  # names the socket file; nothing listens on a network
USER = "postgres"

_INITDB = [
    f"--username={USER}",
    "--auth=trust",  # whoever may open the socket's folder
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--locale=C.UTF-8",  # sorts alike on every machine
    "--no-instructions",
]
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "max_locks_per_transaction": "256",
    "log_error_verbosity": "terse",  # a DETAIL line holds addresses of people
    "log_min_error_statement": "panic",  # and so do statements
}
_DURABLE = {
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}
# Its own cache, in megabytes: an eighth of the machine, which has other things to do. What a million contacts are
# looked up and sorted by is a gigabyte; where that fits, a contact more costs as much beside a million as beside none.
_CACHE_SHARE, _CACHE_LEAST, _CACHE_MOST = 8, 128, 2_048
_FORGETFUL = {
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def _durable() -> dict[str, str]:
    machine = memory.machine_megabytes()
    cache = min(max(machine // _CACHE_SHARE, _CACHE_LEAST), _CACHE_MOST)
    return _DURABLE | {"shared_buffers": f"{cache}MB", "effective_cache_size": f"{max(machine // 2, cache)}MB"}


class Postgres:
    """One PostgreSQL 18 on a folder, reachable through a socket below the system's folder for temporary files."""

    stop_signal = signal.SIGINT  # breaks off what runs, then writes everything to disk

    def __init__(self, folder: Path, *, durable: bool = True, log: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.durable = durable
        self.log = log or self.folder.with_suffix(".log")
        self.sockets = Path()
        self.process: children.Child | None = None

    def start(self) -> None:
        """Create the data if there is none, start, and return when connections are answered. Main thread only."""
        programs = postgres_programs()
        self._make_folders()
        if not (self.folder / "PG_VERSION").exists():
            self._create_data(programs)
        if (self.folder / "postmaster.pid").exists():
            self._wait_for_the_one_before()
        self._launch(programs)

    def _launch(self, programs: Path) -> None:
        settings = _SETTINGS | (_durable() if self.durable else _FORGETFUL) | {"unix_socket_directories": self.sockets}
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        with open(self.log, "ab") as log:
            self.process = children.spawn(
                [programs / "postgres", "-D", self.folder, *words],
                death_signal=signal.SIGQUIT,
                unprivileged=True,
                output=log,
            )
        children.await_ready("PostgreSQL", self.process, self._is_ready, self.log)

    def stop(self) -> None:
        """Stop after the current statements are broken off and everything is on disk; harmless when stopped."""
        children.stop(self.process, self.stop_signal, STOP_SECONDS_MAX)
        self.process = None
        if self.sockets != Path():
            shutil.rmtree(self.sockets, ignore_errors=True)
            self.sockets = Path()

    def server(self, database: str = "parcours") -> Server:
        """The address of one of its databases, for `kit.db.connect`."""
        from kit.db import Server

        return Server(str(self.sockets), PORT, USER, None, database)

    def url(self, database: str = "parcours") -> str:
        """The same address as a text, for DATABASE_URL of another process."""
        return f"postgresql://{USER}@/{database}?host={self.sockets}&port={PORT}"

    async def create_database(self, name: str, *, template: str | None = None) -> None:
        """A new database, empty or a copy of `template`; nothing happens if there is one of this name."""
        await create_database(self.server("postgres"), name, template=template)

    async def drop_database(self, name: str) -> None:
        """Remove a database with everything in it, whoever is connected."""
        from kit import sql

        drop = sql.Sql("DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=sql.name(name))
        await _alone(self.server("postgres"), drop)

    def _make_folders(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        children.shorten(self.log)
        if self.sockets == Path():
            self.sockets = Path(tempfile.mkdtemp(prefix="parcours-pg-"))  # short: the limit of a path is 107 bytes
        if children.is_root():
            for folder in (self.folder, self.sockets):
                os.chown(folder, *children.nobody())

    def _create_data(self, programs: Path) -> None:
        """initdb into a folder beside, which gets its name when complete: a kill in the middle leaves no half data."""
        new = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if children.is_root():
            os.chown(new, *children.nobody())
        sync = [] if self.durable else ["--no-sync"]
        with open(self.log, "ab") as log:
            child = children.spawn([programs / "initdb", "-D", new, *_INITDB, *sync], unprivileged=True, output=log)
            code = child.wait()
        if code != 0:
            raise NotStarted(children.story("PostgreSQL's data could not be created.", self.log))
        self.folder.rmdir()
        new.rename(self.folder)

    def _wait_for_the_one_before(self) -> None:
        """After a kill -9 of our parent the old PostgreSQL needs a moment to go; if it stays, it is told to.

        Its pid file then goes too: where nobody buries the dead (a container without init), PostgreSQL would take the
        number for a living one for ever. That no other process of it still writes here, it checks by its memory.
        """
        deadline = time.monotonic() + 5
        while (pid := self._stale_pid()) is not None:
            if time.monotonic() > deadline:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGQUIT)
                deadline += 5
            time.sleep(0.1)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        time.sleep(CHILDREN_SECONDS)

    def _stale_pid(self) -> int | None:
        lines = children.lines(self.folder / "postmaster.pid")
        if not lines or not lines[0].isdigit():
            return None
        pid = int(lines[0])
        with contextlib.suppress(OSError):
            if sys.platform == "linux" and b"postgres" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                return None  # it is dead and not buried, or the number belongs to somebody else by now
        return pid if children.is_alive(pid) else None

    def _is_ready(self) -> bool:
        """Our own child says so: a file of a server before it, or of another one, does not count."""
        lines = children.lines(self.folder / "postmaster.pid")
        assert self.process is not None
        return len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"


class Valkey:
    """One Valkey, with an append-only file when it has a folder, forgetful when it has none."""

    def __init__(self, folder: Path | None = None, *, log: Path | None = None) -> None:
        self.folder = folder.absolute() if folder else None
        self.log = log or (self.folder.with_suffix(".log") if self.folder else Path(os.devnull))
        self.sockets = Path()
        self.process: children.Child | None = None

    @property
    def socket(self) -> Path:
        """The file of its socket."""
        return self.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        """Its address, for REDIS_URL."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        """Start, and return when it answers. Main thread only."""
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            children.shorten(self.log)
        if self.sockets == Path():
            self.sockets = Path(tempfile.mkdtemp(prefix="parcours-vk-"))
        self.socket.unlink(missing_ok=True)
        words: list[str | Path] = ["--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"]
        words += ["--dir", self.folder or self.sockets, "--save", "", "--maxmemory-policy", "noeviction"]
        words += ["--appendonly", "yes" if self.folder else "no"]
        with open(self.log, "ab") as log:
            self.process = children.spawn([valkey_program(), *words], output=log)
        children.await_ready("Valkey", self.process, lambda: answers(self.socket), self.log)

    def stop(self) -> None:
        """Stop; harmless when stopped."""
        children.stop(self.process, signal.SIGTERM, STOP_SECONDS_MAX)
        self.process = None
        if self.sockets != Path():
            shutil.rmtree(self.sockets, ignore_errors=True)
            self.sockets = Path()


async def create_database(server: Server, name: str, *, template: str | None = None) -> None:
    """A new database beside the one of `server`, empty or a copy of `template`; harmless if it is there."""
    import asyncpg

    from kit import sql

    copied = sql.Sql(" TEMPLATE {template}", template=sql.name(template)) if template else sql.NOTHING
    with contextlib.suppress(asyncpg.DuplicateDatabaseError):
        await _alone(server, sql.Sql("CREATE DATABASE {name}{copied}", name=sql.name(name), copied=copied))


async def _alone(server: Server, statement: Sql) -> None:
    """A statement that no transaction may hold. The imports are here because they take half a second."""
    from kit import db

    connection = await db.open_one(server)
    try:
        await connection.execute(statement.render()[0])
    finally:
        await connection.close()


def answers(path: Path) -> bool:
    """Whether a Valkey behind this socket says PONG and has read its data."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(1)
        line.connect(str(path))
        line.sendall(b"PING\r\n")
        return line.recv(16).startswith(b"+PONG")
    return False
