"""A message is handed over whole, to one person, and nothing in it can become a header."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kit import config
from kit import db as database
from kit.errors import Invalid, Refused
from services.channels import email, smtp
from services.channels.email import Letter, NotSent


async def test_a_message_arrives_as_it_was_written(mailbox):
    told = await smtp.send("ann@x.test", " Grüße ", "Hello Ann,\n…", "<p>Hello Ann</p>")
    [message] = mailbox.messages
    assert mailbox.envelopes == [("hello@parcours.test", ["ann@x.test"])]
    assert (message["From"], message["To"]) == ("Parcours <hello@parcours.test>", "ann@x.test")
    assert (message["Subject"], message["Message-ID"], message["MIME-Version"]) == ("Grüße", told, "1.0")
    assert message["Date"].endswith("0000")  # RFC 5322 lets nobody write GMT any more
    assert message.get_body(("plain",)).get_content().split("\r\n") == ["Hello Ann,", "…"]
    assert message.get_body(("html",)).get_content().strip() == "<p>Hello Ann</p>"


async def test_an_international_domain_is_written_in_ascii(mailbox):
    await smtp.send("ann@bücher.test", "Hello", "…")
    assert mailbox.envelopes[0][1] == ["ann@xn--bcher-kva.test"]


@pytest.mark.parametrize(
    ("to", "subject", "path"),
    [
        ("ann@x.test\r\nBcc: eve@x.test", "Hi", "to"),
        ("ann@x.test, eve@x.test", "Hi", "to"),
        ("ann", "Hi", "to"),
        ("ann@x.test", "Hi\r\nBcc: eve@x.test", "subject"),
        ("ann@x.test", "Hi\nBcc: eve@x.test", "subject"),
        ("ann@x.test", " ", "subject"),
        ("ann@x.test", "nul\x00", "subject"),
    ],
)
async def test_nothing_becomes_a_header(mailbox, to, subject, path):
    with pytest.raises(Invalid) as refusal:
        await smtp.send(to, subject, "Text")
    assert [problem.path for problem in refusal.value.problems] == [(path,)]
    assert mailbox.messages == []


async def test_what_the_server_refuses_is_told_without_the_address(mailbox):
    mailbox.refused.add("gone@x.test")
    with pytest.raises(NotSent) as failure:
        await smtp.send("gone@x.test", "Hi", "Text")
    assert (str(failure.value), failure.value.unknown) == ("REFUSED 550", False)


async def test_a_server_that_is_away(mailbox):
    await mailbox.stop()
    with pytest.raises(NotSent) as failure:
        await smtp.send("ann@x.test", "Hi", "Text")
    assert (failure.value.reason, failure.value.unknown) == ("UNREACHABLE", False)


async def test_a_server_that_says_nothing(mailbox, monkeypatch):
    mailbox.pause_seconds = 1
    monkeypatch.setattr(smtp, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(NotSent) as failure:
        await smtp.send("ann@x.test", "Hi", "Text")
    assert (failure.value.reason, failure.value.unknown) == ("BROKEN_OFF", True)


async def test_without_a_server_nothing_is_sent():
    assert not email.is_configured()
    with pytest.raises(NotSent, match="NOT_CONFIGURED"):
        await smtp.send("ann@x.test", "Hi", "Text")


async def test_no_message_waits_inside_a_transaction(mailbox, db):
    with pytest.raises(AssertionError, match="transaction"):
        async with database.transaction():
            await smtp.send("ann@x.test", "Hi", "Text")
    assert mailbox.messages == []


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"SMTP_URL": "smtp://mail.example"}, "PARCOURS_MAIL_FROM: is needed"),
        ({"SMTP_URL": "https://mail.example", "MAIL_FROM": "a@x.test"}, "PARCOURS_SMTP_URL: must be like"),
        ({"SMTP_URL": "smtp://mail.example:x", "MAIL_FROM": "a@x.test"}, "PARCOURS_SMTP_URL: must be like"),
        ({"SMTP_URL": "smtp://mail.example", "MAIL_FROM": "nobody"}, "PARCOURS_MAIL_FROM: must be an address"),
    ],
)
def test_half_a_mail_server_is_refused_at_the_start(monkeypatch, variables, told):
    for name, value in variables.items():
        monkeypatch.setenv(f"PARCOURS_{name}", value)
    with pytest.raises(Refused) as refusal:
        config.read()
    assert told in str(refusal.value)


def test_a_letter_is_written_on_lines_that_fit_and_signed(tmp_path, monkeypatch):
    """M1, M2, M3: one of each header, both parts, and a signature over all that matters; nothing can be added."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "dkim.pem").write_bytes(pem)
    monkeypatch.setenv("PARCOURS_DKIM_KEY", str(tmp_path / "dkim.pem"))
    monkeypatch.setenv("PARCOURS_MAIL_FROM", "Käse & Co <hello@parcours.test>")
    config.settings.cache_clear()
    leave = "https://parcours.test/u/" + "x" * 150
    letter = Letter(
        to="ann@stage.test",
        subject="Grüße\r\nBcc: victim@stage.test " + "lang " * 40,
        text="Zeile " * 400 + "\n.\nEnde ✓",
        html="<p>" + "Wort " * 400 + "✓</p>",
        reply_to="reply@parcours.test",
        leave=leave,
        message_id="<d1.abc@parcours.test>",
    )
    data = email.written(letter)
    config.settings.cache_clear()
    asked = []

    def dns(name, timeout=5):
        asked.append(name)
        return b"v=DKIM1; k=rsa; p=" + public

    assert dkim.verify(data, dnsfunc=dns)
    assert asked == [b"parcours._domainkey.parcours.test."]
    assert not dkim.verify(data.replace(b"List-Unsubscribe-Post", b"List-Unsubscribe-Pest"), dnsfunc=dns)
    assert not dkim.verify(b"From: other@parcours.test\r\n" + data, dnsfunc=dns)
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    assert b"\n" not in data.replace(b"\r\n", b"")
    message = message_from_bytes(data, policy=policy.default)
    names = [name.lower() for name in message if name != "DKIM-Signature"]
    assert len(names) == len(set(names))
    assert message["List-Unsubscribe"] == f"<{leave}>"
    assert message["Bcc"] is None
    assert message["Date"].endswith("0000")
    assert message["Subject"].startswith("Grüße Bcc: victim@stage.test lang")
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == letter.text
    assert message.get_body(("html",)).get_content().strip() == letter.html
