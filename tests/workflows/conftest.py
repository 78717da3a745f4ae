"""The stage on which automations are played."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.caller import Caller
from tests.workflows.post import Post
from tests.workflows.stage import Stage


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """What is written to the log meanwhile, unprinted: painting tracebacks takes seconds."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def stage(caller: Caller) -> Stage:
    """An empty account, its clock in the test's hand."""
    return Stage(caller)


@pytest.fixture
async def post(caller: Caller) -> Post:
    """A stage from which mail goes out."""
    return await Post.open(caller)
