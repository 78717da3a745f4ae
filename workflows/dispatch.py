"""Dispatch: let the facts about contacts, a thousand at a time, wake who waits for them and enter whom they let in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from kit import crash, db, log
from kit.sql import TRUE, Sql, ids, join
from segments import rule
from services import caller
from workflows import admission, entry, locks, store, trigger
from workflows.halves import in_halves

EVENTS_MAX = 1_000  # in one transaction

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Match:
    """A fact that a trigger answers."""

    event_id: int
    contact_id: int
    automation_id: int
    trigger_id: int | None  # None: the form that was sent starts the automation
    condition: str | None  # JSON


async def pass_(now: datetime) -> int:
    """Work off up to a thousand facts that nobody has looked at; how many there were."""
    async with db.transaction():
        event_ids = await _claim()
        if not event_ids:
            return 0
        await crash.point("after_claim")
        await answer(event_ids, now)
        await crash.point("before_enqueue")
    await crash.point("after_enqueue")
    return len(event_ids)


async def answer(event_ids: list[int], now: datetime, *, among: Sql = TRUE) -> None:
    """What these facts lead to: who waits for one of them looks again, who unsubscribed leaves, and contacts come into
    the automations `a` for which `among` holds."""
    contacts, left = await _contacts_of(event_ids)
    await store.wake_watching(Sql("r.contact_id = ANY({contacts}::bigint[])", contacts=contacts), now)
    if left:
        await _end_unsubscribed(left, event_ids, now)
    matches = await _match(event_ids, among)
    if matches:
        await locks.share(match.automation_id for match in matches)
        await in_halves(await _fitting(matches, now), lambda some: _enter(some, now), _not_entered)


async def _claim() -> list[int]:
    """The oldest facts nobody else works on, taken from the pile; with the transaction they are back on it."""
    taken = await db.value(
        Sql(
            """
            WITH taken AS (
                DELETE FROM pending_event pe
                WHERE pe.event_id = ANY(ARRAY(
                    SELECT pe.event_id
                    FROM pending_event pe
                    ORDER BY pe.event_id
                    LIMIT {count_max}::integer
                    FOR UPDATE SKIP LOCKED
                ))
                RETURNING pe.event_id
            )
            SELECT array_agg(taken.event_id ORDER BY taken.event_id)
            FROM taken
            """,
            count_max=EVENTS_MAX,
        )
    )
    return taken or []


async def _contacts_of(event_ids: list[int]) -> tuple[list[int], list[int]]:
    """Whom the facts are about, and who of them unsubscribed from a list."""
    row = await db.row(
        Sql(
            """
            SELECT
                array_agg(DISTINCT e.contact_id) AS contacts,
                array_agg(DISTINCT e.contact_id) FILTER (WHERE e.kind = 'LIST_UNSUBSCRIBED') AS left_list
            FROM event e
            WHERE e.id = ANY({ids}::bigint[])
            """,
            ids=event_ids,
        )
    )
    assert row is not None
    return row["contacts"] or [], row["left_list"] or []


async def _end_unsubscribed(contact_ids: list[int], event_ids: list[int], now: datetime) -> None:
    """Who unsubscribed leaves the automations with `exitOnUnsubscribe` that are about the list, unless it was their own
    doing."""
    left = Sql(
        """
        r.contact_id = ANY({contact_ids}::bigint[])
        AND r.automation_id IN (SELECT a.id FROM automation a WHERE a.exit_on_unsubscribe)
        AND EXISTS (
            SELECT
            FROM event e
            JOIN automation a ON a.id = r.automation_id
            WHERE e.id = ANY({event_ids}::bigint[])
              AND (a.unsubscribe_lists IS NULL OR e.subject = ANY(a.unsubscribe_lists))
              AND e.kind = 'LIST_UNSUBSCRIBED'
              AND e.contact_id = r.contact_id
              AND e.at >= r.started_at
              AND e.actor <> 'automation:' || r.automation_id
        )
        """,
        contact_ids=contact_ids,
        event_ids=event_ids,
    )
    await entry.end_where(left, by=caller.system(now), reason="UNSUBSCRIBED", visit_reason="UNSUBSCRIBED")


async def _match(event_ids: list[int], among: Sql) -> list[Match]:
    """Every fact with every live trigger that answers it, and with what a form starts; in the order of the facts."""
    kinds = trigger.kinds().values()
    rows = await db.rows(
        Sql(
            """
            SELECT e.id AS event_id, e.contact_id, g.automation_id, g.id AS trigger_id, g.condition, g.position
            FROM event e
            JOIN unnest({facts}::text[], {words}::text[]) AS answer (fact, kind) ON answer.fact = e.kind
            JOIN trigger g
              ON g.kind = answer.kind
             AND g.removed_at IS NULL
             AND g.enabled
             AND (g.subject IS NULL OR g.subject = e.subject)
             AND CASE g.kind {demands} END
            JOIN automation a ON a.id = g.automation_id
            WHERE e.id = ANY({event_ids}::bigint[])
              AND a.status = 'ACTIVE'
              AND e.recorded_at >= a.active_since
              AND {among}
            UNION ALL
            SELECT e.id, e.contact_id, a.id, NULL, NULL, 0
            FROM event e
            CROSS JOIN LATERAL jsonb_array_elements_text(e.data -> 'startAutomations') AS started (automation)
            JOIN automation a ON a.id = split_part(started.automation, '_', 2)::bigint
            WHERE e.id = ANY({event_ids}::bigint[])
              AND e.kind = 'FORM_SUBMITTED'
              AND a.status = 'ACTIVE'
              AND e.recorded_at >= a.active_since
              AND {among}
            ORDER BY event_id, automation_id, position, trigger_id
            """,
            facts=[kind.fact for kind in kinds],
            words=[kind.word() for kind in kinds],
            demands=join(
                " ", (Sql("WHEN {word}::text THEN {match}", word=kind.word(), match=kind.match) for kind in kinds)
            ),
            event_ids=event_ids,
            among=among,
        )
    )
    return [Match(**{key: row[key] for key in Match.__slots__}) for row in rows]


async def _fitting(matches: list[Match], now: datetime) -> list[Match]:
    """The matches whose trigger's `where` holds for the contact now; one statement a trigger."""
    conditions = {match.trigger_id: match.condition for match in matches if match.condition is not None}
    if not conditions:
        return matches
    reading = await rule.reading(now)
    fitting: dict[int | None, set[int]] = defaultdict(set)
    for trigger_id, condition in conditions.items():

        async def look(some: Sequence[int], condition: str = condition, trigger_id: int | None = trigger_id) -> None:
            where = rule.parse(orjson.loads(condition))
            fitting[trigger_id] |= set(await db.column(rule.matching(where, ids(some), reading)))

        async def fault(contact_id: int, error: Exception, trigger_id: int | None = trigger_id) -> None:
            _log.error("trigger_condition_failed", trigger=trigger_id, contact=contact_id, exc_info=error)

        await in_halves(sorted({each.contact_id for each in matches if each.trigger_id == trigger_id}), look, fault)
    return [each for each in matches if each.condition is None or each.contact_id in fitting[each.trigger_id]]


async def _enter(matches: Sequence[Match], now: datetime) -> None:
    """Let in whom the entry policies allow, in the order of the facts."""
    existing = set(await admission.lock_contacts(match.contact_id for match in matches))
    for some in _one_fact_each([match for match in matches if match.contact_id in existing]):
        entered = await admission.let_in(_candidates(some), by=caller.system(now))
        if dropped := entered.refused.get("TRIGGER_CAP"):
            _log.warning("entries_dropped_by_cap", contacts=len(dropped), first_contact=min(dropped))


def _one_fact_each(matches: Sequence[Match]) -> Iterator[list[Match]]:
    """The matches in rounds of at most one fact a contact and automation: a later one meets what an earlier made."""
    rounds: list[list[Match]] = []
    seen: dict[tuple[int, int], tuple[int, int]] = {}  # contact and automation → its latest fact and round
    for match in matches:
        key = (match.contact_id, match.automation_id)
        event_id, number = seen.get(key, (0, -1))
        if event_id != match.event_id:
            number += 1
            seen[key] = (match.event_id, number)
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(match)
    yield from rounds


def _candidates(matches: Sequence[Match]) -> Sql:
    """As admission.let_in wants them, with what the fact says of who and why."""
    kinds = trigger.kinds().values()
    return Sql(
        """
        SELECT
            e.contact_id,
            w.automation_id,
            g.id AS trigger_id,
            e.id AS event_id,
            e.recorded_at,
            CASE g.kind {labels} ELSE 'Sent the form ' || (e.data ->> 'form') END AS label,
            e.actor,
            CASE WHEN g.id IS NULL THEN 'FORM' ELSE 'TRIGGER' END AS via
        FROM unnest({event_ids}::bigint[], {automation_ids}::bigint[], {trigger_ids}::bigint[])
            AS w (event_id, automation_id, trigger_id)
        JOIN event e ON e.id = w.event_id
        LEFT JOIN trigger g ON g.id = w.trigger_id AND g.removed_at IS NULL AND g.enabled
        WHERE w.trigger_id IS NULL OR g.id IS NOT NULL
        """,
        labels=join(" ", (Sql("WHEN {word}::text THEN {label}", word=kind.word(), label=kind.label) for kind in kinds)),
        event_ids=[match.event_id for match in matches],
        automation_ids=[match.automation_id for match in matches],
        trigger_ids=[match.trigger_id for match in matches],
    )


async def _not_entered(match: Match, error: Exception) -> None:
    """One fact that one trigger cannot take never holds up the others; the log keeps which."""
    _log.error("entry_failed", event=match.event_id, trigger=match.trigger_id, exc_info=error)
