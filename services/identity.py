"""Who is who: the addresses and numbers by which a contact is known, and what the database refuses about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tortoise.exceptions import IntegrityError

from kit import db
from kit.errors import Conflict, Limit, Problem
from kit.sql import Sql

EMAIL_INVALID = Problem("EMAIL_INVALID", "This is not an e-mail address we can send to.", ("email",))
PHONE_INVALID = Problem("PHONE_INVALID", "This is not a telephone number that can exist.", ("phone",))
EMAIL_TAKEN = Problem("EMAIL_TAKEN", "Another contact has this e-mail address.", ("email",))
PHONE_TAKEN = Problem("PHONE_TAKEN", "Another contact without an e-mail address has this telephone number.", ("phone",))
IDENTIFIER_REQUIRED = Problem("IDENTIFIER_REQUIRED", "A contact needs an e-mail address or a telephone.", ("email",))
EXTERNAL_ID_TAKEN = Problem("EXTERNAL_ID_TAKEN", "Another contact has this external id.", ("externalId",))
EMAIL_IMMUTABLE = Problem("EMAIL_IMMUTABLE", "In this account an address stays; add a new contact.", ("email",))
PHONE_ONLY_DISABLED = Problem(
    "PHONE_ONLY_DISABLED", "This account has no contacts with a telephone alone: give an e-mail address.", ("email",)
)
CONTACT_LIMIT = Problem("CONTACT_LIMIT", "This account has as many contacts as it may; updates go on.")

# domain.md 5.2 holds in the database; here its constraints get their words.
_BY_CONSTRAINT = {
    "contact_email_key": EMAIL_TAKEN,
    "contact_phone_alone_key": PHONE_TAKEN,
    "contact_external_key": EXTERNAL_ID_TAKEN,
    "contact_identifier_required": IDENTIFIER_REQUIRED,
    "contact_phone_alone_allowed": PHONE_ONLY_DISABLED,
    "contact_limit": CONTACT_LIMIT,
    "user_account_email_key": Problem("EMAIL_TAKEN", "Another user has this e-mail address.", ("email",)),
}


@contextmanager
def guarded() -> Iterator[None]:
    """What the database refuses about contacts and their identifiers becomes a `Conflict`, or a `Limit`."""
    try:
        yield
    except IntegrityError as failure:
        problem = _BY_CONSTRAINT.get(getattr(failure.__cause__, "constraint_name", None) or "")
        if problem is None:
            raise
        raise (Limit if problem is CONTACT_LIMIT else Conflict)(problem) from None


async def taken(email: str | None, phone: str | None, *, besides: int | None = None) -> list[Problem]:
    """What would be refused if a contact (other than `besides`) had these now; for telling all faults at once."""
    row = await db.row(
        Sql(
            """
            SELECT
                EXISTS (
                    SELECT
                    FROM contact c
                    WHERE lower(c.email) = lower({email}::text)
                      AND c.id IS DISTINCT FROM {besides}::bigint
                ) AS email,
                EXISTS (
                    SELECT
                    FROM contact c
                    WHERE {email}::text IS NULL
                      AND c.email IS NULL
                      AND c.phone = {phone}::text
                      AND c.id IS DISTINCT FROM {besides}::bigint
                ) AS phone
            """,
            email=email,
            phone=phone,
            besides=besides,
        )
    )
    assert row is not None
    return [problem for found, problem in ((row["email"], EMAIL_TAKEN), (row["phone"], PHONE_TAKEN)) if found]
