"""Texts are stored in one form, and what cannot be stored is refused."""

from __future__ import annotations

import pytest

from kit import text


def test_equal_texts_are_equal_when_clean():
    assert text.clean("  Zoe\u0308 \n") == text.clean("Zoë") == "Zoë"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (None, "WRONG_TYPE"),
        (5, "WRONG_TYPE"),
        (["x"], "WRONG_TYPE"),
        ("a\0b", "NUL_CHARACTER"),
        ("\udc00", "INVALID_CHARACTER"),
        ("two\nlines", "INVALID_CHARACTER"),
        ("two\u2028lines", "INVALID_CHARACTER"),
        ("\u202egpj.exe", "INVALID_CHARACTER"),
        ("x" * 201, "TOO_LONG"),
    ],
)
def test_what_cannot_be_stored_is_refused(given, code):
    assert text.fault(given).code == code


@pytest.mark.parametrize("given", ["", "  ", "x" * 200, " " * 300 + "x", "👩‍🚀", "naïve", "日本語"])
def test_everything_else_is_fine(given):
    assert text.fault(given) is None


def test_only_long_texts_have_lines():
    assert text.fault("two\nlines\twith tabs", lines=True) is None
    assert text.fault("two\0lines", lines=True).code == "NUL_CHARACTER"
