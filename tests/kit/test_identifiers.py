"""Addresses, numbers and secrets in their one form."""

from __future__ import annotations

import pytest

from kit import email, phone, tokens


@pytest.mark.parametrize(
    ("typed", "region", "stored"),
    [
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("+33 6 12 34 56 78", "US", "+33612345678"),
        ("+1 (403) 262-3443", "DE", "+14032623443"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("123", "US", None),
        ("(555) 123-4567", "US", None),
        ("06 12 34 56 78", "ZZ", None),
        ("1" * 200, "US", None),
        ("", "US", None),
        ("ring me", "US", None),
    ],
)
def test_a_number_is_e164_or_none(typed, region, stored):
    assert phone.normalise(typed, region) == stored


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" A.B@EXAMPLE.Test ", "A.B@example.test"),
        ("o'brien+news@x.test", "o'brien+news@x.test"),
        ("é@münchen.de", "é@münchen.de"),
        ("ann@", None),
        ("a b@x.test", None),
        ('"a@b"@x.test', None),
        ("a" * 65 + "@x.test", None),
        ("a" * 250 + "@x.test", None),
        ("ann@localhost", None),
        ("ann@[192.0.2.1]", None),
        ("ann@x..test", None),
        ("a\x00@x.test", None),
    ],
)
def test_an_address_keeps_its_spelling_or_is_none(typed, stored):
    assert email.normalise(typed) == stored


def test_secrets_have_160_bits_behind_their_prefix_and_only_their_beginning_is_shown():
    secrets = {tokens.make() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert len(secret) == len(tokens.PREFIX) + 160 // 5
        assert len(tokens.shown(secret)) == len(tokens.PREFIX) + 4
        assert len(tokens.digest(secret)) == 32
