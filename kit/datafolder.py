"""The folder of a server without set-up: its PostgreSQL, its Valkey, and who is using them at the moment.

One process owns the folder and runs the servers (a lock that falls with its owner says who); every other command finds
their addresses in `servers.json` and works beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from kit.embedded import PORT, Postgres, Valkey, answers
from kit.errors import Problem, Refused

DATABASE = "parcours"
PATIENCE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two servers of a folder answer."""

    database_url: str
    redis_url: str


class InUse(Refused):
    """Another process owns the folder."""


class DataFolder:
    """A folder and the servers on it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.postgres = Postgres(self.path / "postgres", log=self.path / "log" / "postgres.log")
        self.valkey = Valkey(self.path / "valkey", log=self.path / "log" / "valkey.log")
        self._lock: IO[str] | None = None

    @property
    def owner_token(self) -> str | None:
        """The token that the first start has made for the owner, if it is still kept here."""
        with contextlib.suppress(OSError):
            return (self.path / "owner-token").read_text().strip() or None
        return None

    def keep_owner_token(self, secret: str) -> None:
        """Keep it for later starts to show; only the operator can read the file."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self.path / "owner-token"
        file.touch(mode=0o600)
        file.write_text(secret + "\n")

    @property
    def addresses(self) -> Addresses:
        """Where the servers that this process runs answer."""
        return Addresses(self.postgres.url(DATABASE), self.valkey.url)

    def own(self) -> None:
        """Become the owner, or be refused with `InUse`. What an owner that was killed has left behind is swept up."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = open(self.path / "lock", "w")  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise InUse(
                Problem("CONFIG", f"The data folder {self.path} is in use by another parcours. Stop it first.")
            ) from None
        self._lock = lock
        self._sweep()

    def is_owned(self) -> bool:
        """Whether a process owns the folder now."""
        try:
            with open(self.path / "lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def tell(self, addresses: Addresses, **children: int) -> None:
        """Write down where the servers answer, ours or others, and which processes there are."""
        note = {
            **asdict(addresses),
            "sockets": [str(server.sockets) for server in (self.postgres, self.valkey) if server.process],
            "children": children,
        }
        new = self.path / "servers.json.new"
        new.touch(mode=0o600)  # an address can hold a password
        new.write_text(json.dumps(note, indent=1))
        new.replace(self.path / "servers.json")

    def release(self) -> None:
        """Stop the servers that still run and give up the folder."""
        self.valkey.stop()
        self.postgres.stop()
        (self.path / "servers.json").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def beside(self) -> Addresses:
        """The addresses of the servers that the owner runs; waits while it starts them."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            note = self._note()
            if note and all(self._is_alive(Path(folder)) for folder in note["sockets"]):
                return Addresses(note["database_url"], note["redis_url"])
            time.sleep(0.1)
        raise InUse(Problem("CONFIG", f"The data folder {self.path} is in use, but its servers do not answer."))

    @contextlib.contextmanager
    def servers(self) -> Iterator[Addresses]:
        """For one command: the servers of the owner if there is one, else started now and stopped afterwards."""
        try:
            self.own()
        except InUse:
            yield self.beside()
            return
        try:
            self.postgres.start()
            self.valkey.start()
            self.tell(self.addresses)
            yield self.addresses
        finally:
            self.release()

    def _is_alive(self, sockets: Path) -> bool:
        """PostgreSQL's socket is there before it answers, but then a connection waits for it."""
        return (sockets / f".s.PGSQL.{PORT}").exists() or answers(sockets / self.valkey.socket.name)

    def _note(self) -> dict | None:
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.path / "servers.json").read_text())
        return None

    def _sweep(self) -> None:
        """A Valkey whose owner was killed dies with it, but not in the same instant; and its socket stays."""
        for folder in (self._note() or {}).get("sockets", []):
            deadline = time.monotonic() + 5
            while answers(Path(folder) / self.valkey.socket.name) and time.monotonic() < deadline:
                time.sleep(0.1)
            if Path(folder).name.startswith("parcours-"):
                shutil.rmtree(folder, ignore_errors=True)
        (self.path / "servers.json").unlink(missing_ok=True)
