"""Users: who may sign in, and how far their hands reach."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kit import db, email
from kit.errors import NotAllowed, NotFound, Problem, Problems, conflict, not_found
from kit.sql import Sql
from models import UserAccount
from services import identity, tokens
from services.caller import Caller, Role, system
from services.given import Given

OWNER_EMAIL = "owner@localhost"
OWNER_NAME = "Owner"
OWNER_TOKEN_NAME = "Owner"

_ROLES = tuple(role.name for role in Role)
_FIRST_USER_LOCK = Sql("SELECT pg_advisory_xact_lock(7226, 2)")


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new user from `email name role`; the id.

    Refused: EMAIL_INVALID, EMAIL_TAKEN, no name, and a role above the caller's own (NotAllowed).
    """
    problems = Problems()
    given = Given(values, problems)
    address = _address(given)
    name = given.required_text("name")
    role = given.choice("role", _ROLES, Role.MEMBER.name)
    problems.refuse()
    _reaches(by, str(role), "role")
    with identity.guarded():
        made = await UserAccount.create(email=address, name=name, role=role, created_at=by.now, updated_at=by.now)
    return made.id


async def update(user_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change a user's `email`, `name`, `role` or `active`; what is absent or None stays.

    A deactivated user is refused at once, with all tokens. Refused: NOT_FOUND, EMAIL_INVALID, EMAIL_TAKEN, a role above
    the caller's own or the role of somebody above the caller (NotAllowed), and leaving nobody an active owner
    (LAST_OWNER).
    """
    async with db.transaction():
        owners = await db.column(
            Sql(
                """
                SELECT u.id
                FROM user_account u
                WHERE u.role = 'OWNER'
                  AND u.deactivated_at IS NULL
                ORDER BY u.id
                FOR NO KEY UPDATE
                """
            )
        )
        user = await UserAccount.filter(id=user_id).select_for_update(no_key=True).first()
        if user is None:
            raise not_found("user", "id")
        problems = Problems()
        given = Given(values, problems)
        address = _address(given) if values.get("email") is not None else user.email
        name = given.required_text("name") if values.get("name") is not None else user.name
        role = given.choice("role", _ROLES, user.role)
        active = values.get("active")
        problems.refuse()
        _reaches(by, user.role, "id")
        _reaches(by, str(role), "role")
        leaves = role != Role.OWNER.name or active is False
        if owners == [user_id] and leaves:
            raise conflict(
                "LAST_OWNER", "Somebody else must be an owner first.", "active" if active is False else "role"
            )
        deactivated_at = user.deactivated_at if active is None else None if active else user.deactivated_at or by.now
        with identity.guarded():
            await UserAccount.filter(id=user_id).update(
                email=address, name=name, role=role, deactivated_at=deactivated_at, updated_at=by.now
            )


async def find(address: str | None) -> int:
    """The active user of this e-mail address; without one, the first owner. Refused: NOT_FOUND."""
    found = await db.value(
        Sql(
            """
            SELECT u.id
            FROM user_account u
            WHERE u.deactivated_at IS NULL
              AND CASE
                  WHEN {email}::text IS NULL THEN u.role = 'OWNER'
                  ELSE lower(u.email) = lower({email}::text)
              END
            ORDER BY u.id
            LIMIT 1
            """,
            email=address,
        )
    )
    if found is None and address is None:
        raise NotFound(Problem("NOT_FOUND", "There is no owner yet: the first start of the server makes one."))
    if found is None:
        raise not_found("user", "email")
    return found


async def ensure_owner(secret: str | None, *, now: datetime) -> str | None:
    """Make the first owner with a token, of this secret or a new one, and return the secret.

    None where there is a user already: then nothing happens. Safe from many processes at once.
    """
    async with db.transaction():
        await db.execute(_FIRST_USER_LOCK)
        if await UserAccount.exists():
            return None
        by = system(now)
        owner = await UserAccount.create(
            email=OWNER_EMAIL, name=OWNER_NAME, role=Role.OWNER.name, created_at=now, updated_at=now
        )
        _, shown = await tokens.create(owner.id, OWNER_TOKEN_NAME, secret=secret, by=by)
        return shown


def _address(given: Given) -> str | None:
    typed = given.required_text("email")
    address = email.normalise(typed) if typed else None
    if typed and address is None:
        given.problems.extend([identity.EMAIL_INVALID])
    return address


def _reaches(by: Caller, role: str, *path: str) -> None:
    if Role[role] > by.role:
        raise NotAllowed(Problem("FORBIDDEN", f"Your role {by.role.name} cannot manage a user who is {role}.", path))
