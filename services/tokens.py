"""Tokens: secrets that let a program act as its user, shown once and revocable at any time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kit import db
from kit import tokens as secrets
from kit.errors import NotAllowed, Problem, Problems, conflict, not_found
from kit.sql import TRUE, Sql
from models import AccessToken, UserAccount
from services.caller import Caller, Role
from services.given import Given

SECRET_LENGTH_MIN = 8  # of one that an operator chose

_ALIVE = Sql(
    """
    w.revoked_at IS NULL
    AND u.deactivated_at IS NULL
    AND (w.expires_at IS NULL OR w.expires_at > parcours_now())
    """
)


async def create(
    user_id: int, name: str, *, by: Caller, expires_at: datetime | None = None, secret: str | None = None
) -> tuple[int, str]:
    """A new token that acts as this user: its id and its secret, which nobody can read again.

    `secret` is one that an operator chose. Refused: an unknown user, a deactivated one (USER_DEACTIVATED), an end in
    the past; a user with more rights than the caller, and for all but admins any other user (NotAllowed).
    """
    problems = Problems()
    given = Given({"name": name, "expires_at": expires_at}, problems)
    name = given.required_text("name")
    end = given.instant("expires_at")
    if end is not None and end <= by.now:
        problems.add("OUT_OF_RANGE", "This must be in the future.", "expiresAt")
    if secret is not None and len(secret) < SECRET_LENGTH_MIN:
        problems.add("TOO_SHORT", f"A token has at least {SECRET_LENGTH_MIN} characters.", "secret")
    problems.refuse()
    user = await UserAccount.get_or_none(id=user_id)
    if user is None:
        raise not_found("user", "userId")
    if not _may(by, user):
        raise NotAllowed(
            Problem("FORBIDDEN", f"Your role {by.role.name} cannot make a token for this user.", ("userId",))
        )
    if user.deactivated_at is not None:
        raise conflict("USER_DEACTIVATED", "This user cannot sign in.", "userId")
    secret = secret or secrets.make()
    made = await AccessToken.create(
        user_id=user_id,
        name=name,
        prefix=secrets.shown(secret),
        hash=secrets.digest(secret),
        created_at=by.now,
        expires_at=end,
    )
    return made.id, secret


async def revoke(token_id: int, *, by: Caller) -> None:
    """Refuse a token from now on; once revoked it stays so. Refused: NOT_FOUND, also for a token of others."""
    token = await AccessToken.get_or_none(id=token_id).select_related("user")
    if token is None or not _may(by, token.user):
        raise not_found("token", "id")
    await AccessToken.filter(id=token_id, revoked_at=None).update(revoked_at=by.now)


async def find(secret: str) -> Caller | None:
    """Who acts with this secret, at the database's instant; None for a wrong, expired or revoked one.

    One statement for every request. When the token was last used is noted at most once a minute.
    """
    row = await db.row(
        Sql(
            """
            WITH found AS (
                SELECT w.id, w.last_used_at, u.id AS user_id, u.role, parcours_now() AS now
                FROM access_token w
                JOIN user_account u ON u.id = w.user_id
                WHERE w.hash = {hash}::bytea
                  AND {alive}
            ),
            used AS (
                UPDATE access_token w
                SET last_used_at = found.now
                FROM found
                WHERE w.id = found.id
                  AND (found.last_used_at IS NULL OR found.last_used_at < found.now - interval '1 minute')
            )
            SELECT found.user_id, found.role, found.now
            FROM found
            """,
            hash=secrets.digest(secret),
            alive=_ALIVE,
        )
    )
    if row is None:
        return None
    return Caller(
        actor=f"user:{row['user_id']}",
        now=row["now"],
        role=Role[row["role"]],
        user_id=row["user_id"],
        source="MANUAL",
        source_detail="API",
    )


async def find_alive(secret_texts: Iterable[str]) -> set[str]:
    """Those of these secrets that are still good, in one statement: for connections that stay open."""
    by_hash = {secrets.digest(secret): secret for secret in secret_texts}
    alive = await db.column(
        Sql(
            """
            SELECT w.hash
            FROM access_token w
            JOIN user_account u ON u.id = w.user_id
            WHERE w.hash = ANY({hashes}::bytea[])
              AND {alive}
            """,
            hashes=list(by_hash),
            alive=_ALIVE,
        )
    )
    return {by_hash[bytes(digest)] for digest in alive}


def visible(by: Caller) -> Sql:
    """The tokens a caller may look at, over `w`: its own, admins all."""
    return TRUE if by.role >= Role.ADMIN else Sql("w.user_id = {user}::bigint", user=by.user_id)


async def find_all() -> list[dict[str, Any]]:
    """Every token: id, beginning, name, the user's e-mail address and whether it is good; the newest first."""
    return await db.rows(
        Sql(
            """
            SELECT w.id, w.prefix, w.name, u.email, CASE WHEN {alive} THEN 'active' ELSE 'refused' END AS state
            FROM access_token w
            JOIN user_account u ON u.id = w.user_id
            ORDER BY w.id DESC
            """,
            alive=_ALIVE,
        )
    )


def _may(by: Caller, user: UserAccount) -> bool:
    """One's own tokens; for admins, those of everybody who can do no more than they."""
    return user.id == by.user_id or (by.role >= Role.ADMIN and Role[user.role] <= by.role)
