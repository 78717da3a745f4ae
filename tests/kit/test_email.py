"""Addresses: the quick answer for ordinary ones is always the validator's."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kit import email


def by_the_validator(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True, strict=True).normalized
    except (EmailNotValidError, UnicodeError):
        return None


labels = st.text("aZ09-", min_size=1, max_size=65)
addresses = st.builds(
    lambda local, domain, ending: f"{local}@{'.'.join([*domain, ending])}",
    st.one_of(st.text("aZ0._+-'/ \"é", min_size=0, max_size=66), st.sampled_from(["info", "INFO", "Sales"])),
    st.lists(labels, max_size=5),
    st.one_of(st.sampled_from(["fr", "COM", "test", "local", "localhost", "arpa", "museum", "x", "4"]), labels),
)


@settings(max_examples=1_000)
@given(addresses)
@example("Ada.Lovelace@Example.COM")
@example("x" * 64 + "@example.org")
@example("x" * 65 + "@example.org")
@example("a@" + "b" * 63 + ".fr")
@example("a@xn--mnchen-3ya.de")
@example("a@" + ".".join(["b" * 60] * 4) + ".fr")
@example("a@example.org\n")
def test_the_quick_answer_is_the_validators(text):
    assert email.normalise(text) == by_the_validator(text.strip())


@pytest.mark.parametrize("text", ["", "@", "a", "a@b", "a b@c.fr", "a@.fr", ".a@b.fr", "a@b..fr", "a@-b.fr", "a@b.f"])
def test_what_is_no_address(text):
    assert email.normalise(text) == by_the_validator(text)
