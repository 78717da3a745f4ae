"""Cells that a spreadsheet would run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import formulas


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1"])
def test_s27_what_could_run_is_made_harmless(text):
    assert formulas.defused(text) == "'" + text


@given(st.text("'=+-@\t\ra ", max_size=5))
def test_s27_nothing_is_lost_on_the_way_out_and_in(text):
    assert formulas.restored(formulas.defused(text)) == text


@pytest.mark.parametrize("text", ["", "'", "'s Gravenhage", "O'Hara", "a=1"])
def test_other_cells_stay_as_they_are(text):
    assert formulas.defused(text) == text
    assert formulas.restored(text) == text
