"""What an e-mail says: the fields that messages and campaigns are written with, and how one reads for a contact."""

from __future__ import annotations

from typing import Self

import strawberry

from services.channels.email import Letter

WORDS = {
    "subject": "subject",
    "preheader": "preheader",
    "html": "html",
    "mjml": "mjml",
    "text": "text",
    "fromName": "from_name",
    "replyTo": "reply_to",
    "tracked": "tracked",
}


# A base of inputs: in the API its fields come after those of the bases before it, and before the input's own.
@strawberry.input
class Wording:
    subject: str | None = strawberry.UNSET
    preheader: str | None = strawberry.UNSET
    html: str | None = strawberry.UNSET
    mjml: str | None = strawberry.UNSET
    text: str | None = strawberry.UNSET
    from_name: str | None = strawberry.UNSET
    reply_to: str | None = strawberry.UNSET
    tracked: bool | None = strawberry.UNSET


@strawberry.type
class Preview:
    subject: str
    html: str | None
    text: str

    @classmethod
    def of(cls, letter: Letter) -> Self:
        return cls(subject=letter.subject, html=letter.html, text=letter.text)
