"""`parcours up` as an operator meets it: one command, and nothing that dies stays dead."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS, shared

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("up")]

ROOT = Path(__file__).parents[2]
PARCOURS = [sys.executable, "-P", "-m", "cli"]


class Up:
    """A running `parcours up` on a folder."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.log = folder / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*PARCOURS, "up", "--data", self.data, "--port", "0"],
                cwd=ROOT,
                env=surroundings(),
                stderr=log,
                stdout=log,
            )
        until(lambda: "Parcours is ready" in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE_SECONDS)

    @property
    def address(self) -> str:
        return self.log.read_text().partition("Parcours is ready: ")[2].partition("/graphql")[0]

    @property
    def token(self) -> str:
        return (self.data / "owner-token").read_text().strip()

    @property
    def children(self) -> dict[str, int]:
        return json.loads((self.data / "servers.json").read_text())["children"]

    def health(self) -> tuple[int, dict[str, str]]:
        return get(f"{self.address}/health")

    def ask(self, token: str | None) -> int:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        return get(f"{self.address}/graphql", b'{"query": "{ __typename }"}', headers)[0]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PARCOURS, *words, "--data", self.data], cwd=ROOT, env=surroundings(), capture_output=True, text=True
        )


def surroundings(**more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PARCOURS_", "DATABASE_", "REDIS_"))
    }
    return kept | more


def get(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}), timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())
    except OSError:
        return 0, {}


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "This took too long."
        time.sleep(0.05)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("up"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_everything_is_well_after_one_command(up):
    assert up.health() == (200, {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok"})


def test_the_owner_is_let_in_and_others_are_not(up):
    assert up.ask(up.token) == 200
    assert up.ask(None) == 401
    assert up.ask("parcours_wrong") == 401


def test_the_owners_token_is_for_the_operator_only(up):
    assert stat.S_IMODE((up.data / "owner-token").stat().st_mode) == 0o600
    assert f"{up.address}/graphql#token={up.token}" in up.log.read_text()


@pytest.mark.parametrize("name", ["worker1", "web", "valkey", "postgres"])
def test_what_is_killed_comes_back(up, name):
    before = up.children[name]
    os.kill(before, signal.SIGKILL)
    until(lambda: up.children[name] != before)
    until(lambda: up.health()[0] == 200)
    assert up.ask(up.token) == 200


def test_health_names_what_is_away(up):
    worker = up.children["worker1"]
    os.kill(worker, signal.SIGSTOP)
    try:
        status, parts = up.health()
    finally:
        os.kill(worker, signal.SIGCONT)
    assert status == 503
    assert parts == {"status": "away", "database": "ok", "broker": "ok", "worker": "away"}
    until(lambda: up.health()[0] == 200)


def test_a_token_is_made_and_revoked_beside_a_running_server(up):
    made = up.command("token", "create", "for a test").stdout.strip()
    assert up.ask(made) == 200
    number = next(line for line in up.command("token", "list").stdout.splitlines() if "for a test" in line).split()[0]
    assert up.command("token", "revoke", number).returncode == 0
    assert up.ask(made) == 401


def test_the_folder_and_the_port_belong_to_one(up, tmp_path):
    again = up.command("up", "--port", "0")
    assert again.returncode == 1
    assert "in use by another parcours" in again.stderr
    port = up.address.rpartition(":")[2]
    other = subprocess.run(
        [*PARCOURS, "up", "--data", tmp_path, "--port", port],
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
    )
    assert other.returncode == 1
    assert "--port" in other.stderr
    assert "Traceback" not in again.stderr + other.stderr


def test_after_kill_9_of_everything_it_starts_again_with_its_data(up):
    token, children = up.token, up.children
    for pid in (up.process.pid, *children.values()):
        os.kill(pid, signal.SIGKILL)
    up.process.wait()
    up.start()
    assert up.token == token
    assert up.health()[0] == 200
    assert up.ask(token) == 200


def test_one_ctrl_c_stops_everything(up):
    children = up.children
    began = time.monotonic()
    up.process.send_signal(signal.SIGINT)
    up.process.wait(PATIENCE_SECONDS)
    assert time.monotonic() - began < shared(10)
    assert up.process.returncode == 0
    assert not [name for name, pid in children.items() if Path(f"/proc/{pid}").exists()]


def test_a_short_owner_token_is_refused_with_a_sentence(tmp_path):
    done = subprocess.run(
        [*PARCOURS, "up", "--data", tmp_path / "data"],
        cwd=ROOT,
        env=surroundings(PARCOURS_OWNER_TOKEN="short"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "at least 8 characters" in done.stderr
    assert "short" not in done.stderr


def test_help_is_there_at_once():
    began = time.monotonic()
    done = subprocess.run([*PARCOURS, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert time.monotonic() - began < shared(2)  # 0.3 s on an idle machine
