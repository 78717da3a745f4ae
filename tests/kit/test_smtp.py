"""A mail server is one URL, and a password never travels in the clear."""

from __future__ import annotations

import pytest

from kit import smtp
from kit.smtp import Smtp


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Smtp("mail.example", 25)),
        ("smtp://ann:p%40ss@mail.example", Smtp("mail.example", 587, "ann", "p@ss", starttls=True)),
        ("smtps://ann:x@mail.example", Smtp("mail.example", 465, "ann", "x", tls=True, starttls=False)),
        ("smtp://ann:x@localhost:1025", Smtp("localhost", 1025, "ann", "x")),
    ],
)
def test_a_url_is_a_mail_server(url, server):
    assert smtp.parse(url) == server


def test_the_password_is_not_printed():
    assert "secret" not in repr(smtp.parse("smtp://ann:secret@mail.example"))
