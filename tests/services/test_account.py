"""The clock of a server that is being tried out is put forward, and that of no other (domain 5.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from kit import clock, config
from kit import db as database
from kit.errors import Refused
from kit.sql import Sql
from services import account


@pytest.fixture
async def tried_out(db: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    config.settings.cache_clear()
    await database.execute(Sql("UPDATE account SET clock_shift = '0'"))


async def test_the_clock_is_put_forward_in_test_mode_alone(tried_out: pytest.MonkeyPatch) -> None:
    before = await clock.now()
    with pytest.raises(Refused, match="CONFIG"):
        await account.put_clock_forward(timedelta(days=1))
    assert await clock.now() - before < timedelta(hours=1)
    tried_out.setenv("PARCOURS_TEST_MODE", "true")
    config.settings.cache_clear()
    with pytest.raises(Refused, match="OUT_OF_RANGE"):
        await account.put_clock_forward(timedelta())
    await account.put_clock_forward(timedelta(days=1, hours=2))
    assert timedelta(hours=26) <= await clock.now() - before < timedelta(hours=27)
