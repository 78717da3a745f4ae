"""The stage on which automations are played."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from services.caller import Caller

sys.path.insert(0, str(Path(__file__).parent))

from stage import Stage


@pytest.fixture
def stage(caller: Caller) -> Stage:
    """An empty account, its clock in the test's hand."""
    return Stage(caller)
