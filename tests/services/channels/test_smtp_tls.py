"""Mail leaves over TLS where that is wanted, and a password never leaves in plain text."""

from __future__ import annotations

import pytest

from kit import config
from kit import smtp as smtp_address
from services.channels import email, smtp
from services.channels.email import Letter, NotSent
from tests.certificates import Certificates
from tests.mailbox import Mailbox

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

PASSWORD = "Sesame 1871"
SIGNED_IN = "ann:Sesame%201871@"


@pytest.fixture
def certificates(tmp_path):
    return Certificates(tmp_path)


@pytest.fixture
async def box(monkeypatch, certificates):
    """`await box(host="localhost", …)`: a mail server that this deployment hands its mail to from now on."""
    running: list[Mailbox] = []

    async def make(*, host: str = "localhost", known: bool = True, sign_in: str = "", **how) -> Mailbox:
        running.append(Mailbox(**how))
        url = (await running[-1].start()).replace("127.0.0.1", sign_in + host)
        monkeypatch.setenv("PARCOURS_SMTP_URL", url)
        monkeypatch.setenv("PARCOURS_MAIL_FROM", "Parcours <hello@parcours.test>")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority) if known else "/dev/null")
        config.settings.cache_clear()
        return running[-1]

    yield make
    for each in running:
        await each.stop()
    monkeypatch.undo()
    config.settings.cache_clear()


async def send_both() -> None:
    """One by itself, and two over one connection, as letters go."""
    await smtp.send("ann@x.test", "One", "…")
    connection = smtp.Connection()
    for subject in ("Two", "Three"):
        letter = Letter(to="ann@x.test", subject=subject, text="…")
        await connection.send(letter, email.written(letter))
    await connection.close()


async def refused() -> str:
    """Why it does not go."""
    with pytest.raises(NotSent) as failure:
        await smtp.send("ann@x.test", "One", "…")
    assert not failure.value.unknown
    return failure.value.reason


@pytest.mark.parametrize("from_start", [True, False], ids=["smtps", "starttls"])
@pytest.mark.parametrize("sign_in", ["", SIGNED_IN], ids=["", "password"])
async def test_mail_goes_by_tls(box, certificates, from_start, sign_in):
    server = await box(
        host="127.0.0.1",
        certificates=certificates,
        secure_from_start=from_start,
        sign_in=sign_in,
        password=PASSWORD if sign_in else None,
    )
    await send_both()
    assert server.secured == [True] * 3
    assert [message["Subject"] for message in server.messages] == ["One", "Two", "Three"]


async def test_a_wrong_password_is_a_server_that_cannot_be_reached(box, certificates):
    server = await box(host="127.0.0.1", certificates=certificates, sign_in="ann:wrong@", password=PASSWORD)
    assert await refused() == "UNREACHABLE"
    assert server.messages == []


async def test_a_password_goes_to_nobody_whose_certificate_is_not_believed(box, certificates, monkeypatch):
    monkeypatch.setattr(smtp_address, "_LOOPBACK", ())
    for how in ({"known": False}, {"known": False, "secure_from_start": True}, {"host": "localhost"}):
        how = {"host": "127.0.0.1", "certificates": certificates, "password": PASSWORD, **how}
        server = await box(sign_in=SIGNED_IN, **how)
        assert await refused() == "UNREACHABLE", how
        assert server.messages == []
    server = await box(host="127.0.0.1", sign_in=SIGNED_IN, password=PASSWORD)  # no TLS at all
    assert await refused() == "UNREACHABLE"
    assert server.messages == []


async def test_without_a_password_any_encryption_is_better_than_none(box, certificates):
    server = await box(known=False, certificates=certificates)
    await send_both()
    assert server.secured == [True] * 3
