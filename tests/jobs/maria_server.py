"""A real MariaDB for tests, where this machine has one: a folder and a port of its own, gone afterwards."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pymysql

from tests.certificates import Certificates

PATIENCE_SECONDS = 60
_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


class MariaServer:
    """Answers on 127.0.0.1 at `port`, with TLS. `run` is what its administrator does there."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self._folder = folder
        self._certificates = certificates
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @staticmethod
    def is_here() -> bool:
        return all(shutil.which(name, path=_PLACES) for name in ("mariadbd", "mariadb-install-db"))

    def start(self) -> None:
        common = ("--no-defaults", f"--datadir={self._folder / 'data'}", f"--user={getpass.getuser()}")
        install = shutil.which("mariadb-install-db", path=_PLACES)
        subprocess.run(
            [str(install), *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            capture_output=True,
        )
        self._process = subprocess.Popen(
            [
                str(shutil.which("mariadbd", path=_PLACES)),
                *common,
                f"--socket={self._folder / 's'}",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                f"--ssl-cert={self._certificates.certificate}",
                f"--ssl-key={self._certificates.key}",
                "--innodb-flush-log-at-trx-commit=0",
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "log").open("w"),
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._connection = pymysql.connect(unix_socket=str(self._folder / "s"), user="root", autocommit=True)
                return
            except pymysql.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def run(self, *statements: str) -> list[tuple]:
        """The rows of the last one."""
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())
