"""The stage on which automations are played."""

from __future__ import annotations

import pytest

from services.caller import Caller
from tests.workflows.stage import Stage


@pytest.fixture
def stage(caller: Caller) -> Stage:
    """An empty account, its clock in the test's hand."""
    return Stage(caller)
