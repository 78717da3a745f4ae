"""An e-mail as bytes for the wire: what Python's own library makes of it, at a tenth of its price."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterable
from email.headerregistry import Address

LINE_LENGTH_MAX = 998  # RFC 5322
_WORD_BYTES_MAX = 45  # of an encoded word, before base64
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+", re.ASCII)
_BARE_NAME = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+", re.ASCII)
_BEYOND_ASCII = bytes(range(128, 256))


def message(headers: Iterable[tuple[str, str]], text: str, html: str | None) -> bytes:
    """The whole message. Values of headers are on one line and in ASCII already: see `words` and `mailbox`."""
    lines = [f"{name}: {value}" for name, value in headers]
    lines.append("MIME-Version: 1.0")
    if html is None:
        return _head(lines) + _part("plain", text)
    boundary = f"=_{secrets.token_hex(12)}"
    lines.append(f'Content-Type: multipart/alternative; boundary="{boundary}"')
    between = f"\r\n--{boundary}\r\n".encode()
    end = f"\r\n--{boundary}--\r\n".encode()
    return b"".join((_head(lines), b"\r\n", between, _part("plain", text), between, _part("html", html), end))


def words(value: str) -> str:
    """A text as the value of a header: itself in ASCII, else in encoded words (RFC 2047). Never more than a header."""
    value = " ".join(value.split())
    if value.isascii() and value.isprintable() and "=?" not in value and len(value) < LINE_LENGTH_MAX - 50:
        return value
    pieces, piece = [], b""
    for letter in value:
        spelled = letter.encode("utf-8", "replace")
        if len(piece) + len(spelled) > _WORD_BYTES_MAX:
            pieces.append(piece)
            piece = b""
        piece += spelled
    pieces.append(piece)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(each).decode()}?=" for each in pieces)


def mailbox(address: str, name: str = "") -> str:
    """`Ann <ann@example.org>`; the address in ASCII."""
    if not _ATOMS.fullmatch(address):
        local, _, domain = address.rpartition("@")
        address = Address("", local, domain).addr_spec
    name = " ".join(name.split())
    if not name:
        return address
    if not name.isascii() or not name.isprintable() or "=?" in name:
        return f"{words(name)} <{address}>"
    if not _BARE_NAME.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"


def _head(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _part(subtype: str, content: str) -> bytes:
    """Headers and body of a part: as it is where it is ASCII with short lines, else quoted or in base64."""
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    data = content.encode("utf-8", "replace")
    if content.isascii() and max(map(len, data.split(b"\n"))) <= LINE_LENGTH_MAX:
        encoding, body = "7bit", data
    elif (len(data) - len(data.translate(None, _BEYOND_ASCII))) * 6 < len(data):
        encoding, body = "quoted-printable", binascii.b2a_qp(data, istext=True)
    else:
        encoding, body = "base64", base64.encodebytes(data.replace(b"\n", b"\r\n"))  # RFC 2045, 6.8
    charset = "us-ascii" if encoding == "7bit" else "utf-8"
    head = _head([f'Content-Type: text/{subtype}; charset="{charset}"', f"Content-Transfer-Encoding: {encoding}"])
    return head + b"\r\n" + body.replace(b"\n", b"\r\n")
