"""Notes: what is worth remembering about a contact."""

from __future__ import annotations

from collections.abc import Sequence

from kit import bell, db
from kit.errors import Problems, not_found
from kit.sql import Sql, ids
from kit.text import TEXT_LENGTH_MAX
from services import facts
from services.caller import Caller
from services.given import Given
from services.outcome import Outcome
from services.targets import targets


async def create(contact_id: int, text: str, *, by: Caller) -> int:
    """A note on one contact; its id. Refused as in `add`; NOT_FOUND at `contactId`."""
    made, outcome = await _write(ids([contact_id]), text, by, None)
    outcome.require("This contact cannot have a note.", "contactId")
    return made[0]


async def add(contacts: Sql, text: str, *, by: Caller, run_ids: Sequence[int] | None = None) -> Outcome:
    """The same note on every contact; a contact that is twice in the set gets two.

    With `run_ids`, each of these runs whose contact is in the set leaves one note that tells of it.
    Refused: an empty text or one of more than 20,000 characters.
    """
    _, outcome = await _write(contacts, text, by, run_ids)
    return outcome


async def update(note_id: int, text: str, *, by: Caller) -> None:
    """Say something else; the author stays. The same text changes nothing. Refused: NOT_FOUND, a text as in `add`."""
    written = _read(text)
    async with db.transaction():
        current = await db.row(Sql("SELECT n.text FROM note n WHERE n.id = {id}::bigint FOR NO KEY UPDATE", id=note_id))
        if current is None:
            raise not_found("note", "id")
        if current["text"] == written:
            return
        await db.execute(
            Sql(
                """
                WITH saved AS (
                    UPDATE note n
                    SET text = {text}::text,
                        updated_at = {now}::timestamptz
                    WHERE n.id = {id}::bigint
                    RETURNING n.id, n.contact_id
                ),
                {facts}
                SELECT saved.id FROM saved
                """,
                id=note_id,
                text=written,
                now=by.now,
                facts=facts.recorded(
                    Sql("SELECT saved.contact_id, 'NOTE_UPDATED', saved.id, NULL::jsonb FROM saved"), by=by
                ),
            )
        )
        await bell.ring("dispatch")


async def delete(note_id: int, *, by: Caller) -> None:
    """Delete a note; that there was one stays in the activity, its text does not. Refused: NOT_FOUND."""
    gone = await db.value(
        Sql(
            """
            WITH gone AS (
                DELETE FROM note n
                WHERE n.id = {id}::bigint
                RETURNING n.id, n.contact_id
            ),
            {facts}
            SELECT gone.id FROM gone
            """,
            id=note_id,
            facts=facts.recorded(Sql("SELECT gone.contact_id, 'NOTE_DELETED', gone.id, NULL::jsonb FROM gone"), by=by),
        )
    )
    if gone is None:
        raise not_found("note", "id")
    await bell.ring("dispatch")


def _read(text: object) -> str:
    problems = Problems()
    written = Given({"text": text}, problems).required_text("text", length_max=TEXT_LENGTH_MAX, lines=True)
    problems.refuse()
    return written


async def _write(contacts: Sql, text: str, by: Caller, run_ids: Sequence[int] | None) -> tuple[list[int], Outcome]:
    written = _read(text)
    row = await db.row(
        Sql(
            """
            WITH {targets},
            made AS (
                INSERT INTO note (contact_id, text, author_id, run_id, created_at, updated_at)
                SELECT target.contact_id, {text}::text, {author}::bigint, target.run_id, {now}, {now}
                FROM target
                ORDER BY target.contact_id
                RETURNING id, contact_id
            ),
            {facts}
            SELECT
                (SELECT array_agg(made.id) FROM made) AS made,
                (SELECT array_agg(DISTINCT made.contact_id) FROM made) AS changed,
                (SELECT array_agg(missing.id) FROM missing) AS missing
            """,
            targets=targets(contacts, run_ids),
            text=written,
            author=by.user_id,
            now=by.now,
            facts=facts.recorded(
                Sql("SELECT made.contact_id, 'NOTE_ADDED', made.id, NULL::jsonb FROM made ORDER BY made.id"), by=by
            ),
        )
    )
    await bell.ring("dispatch")
    return (row or {}).get("made") or [], Outcome.of(row)
