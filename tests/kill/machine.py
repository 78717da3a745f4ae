"""A deployment as it runs in production: an API and two workers as processes, each of which can be killed."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import redis

from kit import broker, children, config
from kit.db import Server
from kit.embedded import Valkey
from tests.kill.outside import Outside
from tests.patience import PATIENCE_SECONDS

PARCOURS = [sys.executable, "-P", "-m", "cli"]
TOKEN = "owner-of-the-kill-test"
WORKERS = ("worker1", "worker2")
CALLERS = 20  # at the same time


class Machine:
    """Starts `parcours serve` and `parcours worker`s on a database, with a Valkey of its own."""

    def __init__(self, folder: Path, database_url: str, server: Server, outside: Outside) -> None:
        self.server = server
        self.outside = outside
        self.valkey = Valkey(folder / "valkey")
        self.log = folder / "machine.log"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._database_url = database_url
        self.kills = self.workers_killed = 0
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        self.valkey.start()
        for name in ("api", *WORKERS):
            self.start_one(name)

    def start_one(self, name: str) -> None:
        if name == "valkey":
            self.valkey.start()
            return
        words = ["serve", "--port", str(self.port)] if name == "api" else ["worker"]
        with open(self.log, "ab") as log:
            self._children[name] = children.spawn([*PARCOURS, *words], environment=self._surroundings(), output=log)

    def _surroundings(self) -> dict[str, str]:
        return config.environment(
            DATABASE_URL=self._database_url,
            REDIS_URL=self.valkey.url,
            PARCOURS_OWNER_TOKEN=TOKEN,
            PARCOURS_LOG_FORMAT="json",
            PARCOURS_SMTP_URL=self.outside.smtp_url,
            PARCOURS_MAIL_FROM="Kill <kill@parcours.test>",
            PARCOURS_WEBHOOK_PRIVATE="true",
        )

    def kill(self, name: str) -> None:
        """SIGKILL: no time to say or save anything."""
        child = self.valkey.process if name == "valkey" else self._children[name]
        assert child is not None
        assert child.poll() is None, f"{name} had ended by itself: {self.log.read_text()[-2000:]}"
        child.kill()
        child.wait()
        self.kills += 1
        self.workers_killed += name in WORKERS

    def signal(self, name: str, number: signal.Signals) -> None:
        self._children[name].send_signal(number)

    async def doctor(self) -> str:
        """What `parcours doctor` finds on the database: code and words."""
        asked = await asyncio.create_subprocess_exec(
            *PARCOURS, "doctor", env=self._surroundings(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        words, _ = await asked.communicate()
        return f"{asked.returncode}: {words.decode()}"

    def stop(self) -> None:
        for child in self._children.values():
            children.stop(child, signal.SIGKILL, 5)
        self.valkey.stop()

    def hints(self) -> broker.RedisBroker:
        """The broker, to play tricks on."""
        return broker.build(self.valkey.url)

    async def is_well(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Waits until `GET /health` says that database, broker and workers are well."""

        async def healthy() -> bool:
            return (await client.get(f"{self.url}/health")).status_code == 200

        async with httpx2.AsyncClient(timeout=5, verify=False) as client:
            await until(healthy, seconds, "the deployment is not well")


class Client:
    """Twenty callers of the API who do not give up: what got no answer is asked again."""

    def __init__(self, machine: Machine) -> None:
        self._http = httpx2.AsyncClient(
            base_url=machine.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=httpx2.Timeout(5)
        )
        self._port = machine.port
        self._callers = asyncio.Semaphore(CALLERS)
        self._knocking = asyncio.Lock()
        self.tries = 0
        self.unanswered = 0

    async def __call__(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer; asked until there is one."""
        async with self._callers:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while (data := await self._ask(query, variables)) is None:
                self.unanswered += 1
                assert time.monotonic() < deadline, "Nobody answered."
                await asyncio.sleep(0.2)
                async with self._knocking:
                    await until(self._is_open, PATIENCE_SECONDS, "nobody listens")
            return data

    async def _is_open(self) -> bool:
        """Whether somebody listens; one of the twenty asks so, since all of them would be in the way of its start."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.close()
        return True

    async def status(self, query: str) -> int:
        """The HTTP status of one answer."""
        return (await self._http.post("/graphql", json={"query": query})).status_code

    async def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any] | None:
        """The data; None when the answer did not come, or says that a server is away."""
        self.tries += 1
        try:
            answer = await self._http.post("/graphql", json={"query": query, "variables": variables})
            body = answer.json()
        except (httpx2.TransportError, ValueError):
            return None
        if "errors" not in body:
            return body["data"]
        assert {error["extensions"]["code"] for error in body["errors"]} == {"SERVICE_UNAVAILABLE"}, body
        return None

    async def do(self, mutation: str, selection: str, **given: Any) -> dict[str, Any]:
        """One mutation that must not be refused: its payload."""
        kind = mutation[0].upper() + mutation[1:]
        query = f"""mutation ($input: {kind}Input!) {{
            {mutation}(input: $input) {{ {selection} errors {{ code message path }} }}
        }}"""
        payload = (await self(query, input=given))[mutation]
        assert payload["errors"] == [], payload
        return payload

    async def close(self) -> None:
        await self._http.aclose()


async def until(holds: Callable[[], Awaitable[object]], seconds: float, otherwise: str, *, pause: float = 0.05) -> None:
    """Waits until it holds; servers that are away do not hold anything."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if await holds():
                return
        except (httpx2.TransportError, redis.RedisError, OSError):
            pass
        assert time.monotonic() < deadline, f"After {seconds} seconds {otherwise}."
        await asyncio.sleep(pause)


def tell(line: str) -> None:
    """For the reader of a failure, or of `pytest -s`."""
    sys.stdout.write(f"{line}\n")


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]
