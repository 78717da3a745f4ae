"""Taking an import back within a day: what it alone brought goes, and what others have touched since stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kit import bell, db, sql
from kit.errors import Conflict, Problem, conflict, not_found
from kit.sql import Sql
from services import facts, import_jobs, imports, jobs, memberships, tags
from services.caller import Caller

KIND = "undo_import"
PERIOD = timedelta(days=1)
# The facts of what an import can have added.
_ADDED = ("CONTACT_CREATED", "TAG_ADDED", "LIST_SUBSCRIBED", "LIST_STATUS_CHANGED", "MARKETING_GRANTED")


async def start(import_id: int, *, by: Caller) -> int:
    """Begin a job that takes an import back; its id.

    Contacts that it made go where nothing has happened to them since by anybody else. From the others go the tags, the
    memberships and the consent that it gave them and nobody has changed. Values that it changed stay.

    Refused: NOT_FOUND; IN_USE while it is on its way; UNDO_EXPIRED a day after it ended; IMPORT_UNDONE.
    """
    async with db.transaction():
        row = await db.row(
            Sql(
                """
                SELECT j.finished_at, j.events_from, j.undo_id
                FROM import_job j
                WHERE j.id = {id}::bigint
                  AND j.sync_id IS NULL
                FOR UPDATE
                """,
                id=import_id,
            )
        )
        if row is None:
            raise not_found("import", "id")
        if row["undo_id"] is not None:
            raise conflict("IMPORT_UNDONE", "This import has been taken back already.", "id")
        if row["finished_at"] is None:
            raise conflict("IN_USE", "This import is on its way. Cancel its job first.", "id")
        if row["events_from"] is None or row["finished_at"] + PERIOD < by.now:
            raise Conflict(Problem("UNDO_EXPIRED", "An import can be taken back for a day.", ("id",)))
        job_id = await jobs.begin(KIND, {"import_id": import_id}, by=by)
        await db.execute(
            Sql(
                "UPDATE import_job j SET undo_id = {job}::bigint, undone_at = {now}::timestamptz WHERE j.id = {id}",
                job=job_id,
                now=by.now,
                id=import_id,
            )
        )
        return job_id


def actor(import_id: int) -> str:
    """Whom the facts of an import name."""
    return f"{imports.ACTOR}:{import_id}"


async def touched(import_id: int) -> Sql:
    """The contacts that the import gave anything to: found by its facts, which lie together."""
    found = await import_jobs.find(import_id)
    assert found is not None
    return Sql(
        """
        SELECT e.contact_id AS id
        FROM event e
        WHERE e.id > {first}::bigint
          AND e.id <= {last}::bigint
          AND e.actor = {actor}::text
          AND e.kind = ANY({kinds}::text[])
        """,
        first=found.events_from,
        last=found.events_to,
        actor=actor(import_id),
        kinds=list(_ADDED),
    )


async def delete_created(contacts: Sequence[int], import_id: int) -> set[int]:
    """Delete those of the contacts that the import made and that have no fact of anybody else; who they were.

    All that is known of them came with the import, so that nothing outlives them as it does by `deletion.delete`.
    """
    gone = await db.column(
        Sql(
            """
            SELECT c.id
            FROM contact c
            WHERE c.id = ANY({ids}::bigint[])
              AND c.origin = 'IMPORT'
              AND EXISTS (
                  SELECT
                  FROM event e
                  WHERE e.contact_id = c.id
                    AND e.kind = 'CONTACT_CREATED'
                    AND e.actor = {actor}::text
              )
            ORDER BY c.id
            FOR UPDATE
            """,
            ids=list(contacts),
            actor=actor(import_id),
        )
    )
    # Looked at in a statement of its own: whoever held one of them may have written of it just now.
    gone = await db.column(
        Sql(
            """
            SELECT w.id
            FROM unnest({ids}::bigint[]) AS w (id)
            WHERE NOT EXISTS (SELECT FROM event e WHERE e.contact_id = w.id AND e.actor <> {actor}::text)
              AND NOT EXISTS (SELECT FROM run r WHERE r.contact_id = w.id)
            """,
            ids=gone,
            actor=actor(import_id),
        )
    )
    await db.execute(
        Sql(
            """
            WITH forgotten AS (DELETE FROM event e WHERE e.contact_id = ANY({ids}::bigint[]) RETURNING e.id),
            unheard AS (DELETE FROM pending_event pe WHERE pe.event_id IN (SELECT forgotten.id FROM forgotten)),
            deleted AS (DELETE FROM contact c WHERE c.id = ANY({ids}::bigint[]) RETURNING c.id)
            SELECT pg_notify('contact_changed', '*')
            WHERE EXISTS (SELECT FROM deleted)
            """,
            ids=gone,
        )
    )
    return set(gone)


async def take_tags(contacts: Sequence[int], import_id: int, *, by: Caller) -> set[int]:
    """Take the tags that the import gave, where they are still the same; from whom. A call for each tag."""
    given = await db.rows(
        Sql(
            """
            SELECT t.name, array_agg(ct.contact_id) AS contacts
            FROM event e
            JOIN contact_tag ct ON ct.contact_id = e.contact_id AND ct.tag_id = e.subject AND ct.added_at = e.at
            JOIN tag t ON t.id = ct.tag_id
            WHERE e.contact_id = ANY({ids}::bigint[])
              AND e.kind = 'TAG_ADDED'
              AND e.actor = {actor}::text
            GROUP BY t.name
            ORDER BY t.name
            """,
            ids=list(contacts),
            actor=actor(import_id),
        )
    )
    changed: set[int] = set()
    for row in given:
        changed |= (await tags.take(sql.ids(row["contacts"]), [row["name"]], by=by)).changed
    return changed


async def withdraw_memberships(contacts: Sequence[int], import_id: int, *, by: Caller) -> set[int]:
    """Take the memberships away that the import made, where they are still the same; whose they were."""
    made = Sql(
        """
        SELECT m.id
        FROM event e
        JOIN membership m ON m.contact_id = e.contact_id AND m.list_id = e.subject AND m.updated_at = e.at
        WHERE e.contact_id = ANY({ids}::bigint[])
          AND e.kind IN ('LIST_SUBSCRIBED', 'LIST_STATUS_CHANGED')
          AND e.actor = {actor}::text
          AND e.data ->> 'from' IS NULL
        """,
        ids=list(contacts),
        actor=actor(import_id),
    )
    return await memberships.withdraw(made, by=by)


async def withdraw_consent(contacts: Sequence[int], import_id: int, *, by: Caller) -> set[int]:
    """Take back the consent that whoever imported had asserted, where it is still the same; whose it was."""
    gone = await db.column(
        Sql(
            """
            WITH changed AS (
                UPDATE contact c
                SET marketing_opt_in_at = NULL
                FROM event e
                WHERE c.id = ANY({ids}::bigint[])
                  AND e.contact_id = c.id
                  AND e.kind = 'MARKETING_GRANTED'
                  AND e.actor = {actor}::text
                  AND e.at = c.marketing_opt_in_at
                RETURNING c.id
            ),
            {facts}
            SELECT changed.id FROM changed
            """,
            ids=list(contacts),
            actor=actor(import_id),
            facts=facts.recorded(
                Sql("SELECT changed.id, 'MARKETING_REVOKED', NULL::bigint, NULL::jsonb FROM changed"), by=by
            ),
        )
    )
    await bell.ring("dispatch")
    return set(gone)
