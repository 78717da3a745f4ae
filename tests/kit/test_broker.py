"""Hints between processes."""

from __future__ import annotations

import asyncio
import time

import pytest

from kit import broker
from tests.patience import shared


@pytest.fixture
def hints(valkey):
    made = broker.build(valkey)
    made.client.flushall()
    yield made
    made.client.close()


def _waiting(hints) -> list[bytes]:
    return hints.client.lrange(f"{broker.NAMESPACE}:{broker.QUEUE}", 0, -1)


async def test_a_hint_arrives_on_the_queue(hints):
    bell = broker.Doorbell(hints)
    await bell.ring("advance")
    await bell.close()
    assert len(_waiting(hints)) == 1


async def test_many_rings_are_few_hints(hints):
    bell = broker.Doorbell(hints)
    for _ in range(1000):
        await bell.ring("advance")
    await bell.close()
    assert 1 <= len(_waiting(hints)) <= 2


async def test_without_a_broker_a_ring_keeps_nobody_waiting(tmp_path):
    bell = broker.Doorbell(broker.build(f"unix://{tmp_path}/nobody.sock"))
    began = time.monotonic()
    for _ in range(20):
        await bell.ring("advance")
        await asyncio.sleep(0)
    assert time.monotonic() - began < shared(0.5)
    await bell.close()
