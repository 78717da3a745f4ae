"""Exports: what leaves as a CSV file, checked before the job of it begins (SQ20, SQ21, CC5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from kit import db, sql
from kit.card import Reference
from kit.errors import Conflict, Limit, Problem, Problems
from kit.sql import TRUE, Sql
from services import contact_sets, fields, jobs, often
from services.caller import Caller
from services.export_columns import FIELD, KINDS, of_field
from services.references import unknown

KIND = "export"
COLUMNS_MAX = 200
EXPORTS_AN_HOUR_MAX = 60  # of one user
CLOSE = 3  # times as many contacts as are asked for may be looked at, where that is one stretch
_SUBJECTS = {"LIST": "list", "SEGMENT": "segment", "RUNS": "automation"}
_FORM_SUBMITTERS = {"form": {"is": True}}


async def start(values: Mapping[str, Any], *, by: Caller) -> int:
    """Begin a job that makes a CSV file of `what` (CONTACTS LIST SEGMENT TASKS RUNS); its id.

    `id` says which list, segment or automation (RUNS: all, without one), `where` which CONTACTS; `columns` are
    names of `export_columns` and of custom fields, in their order. Without columns a segment gives addresses alone
    (CC5), the rest what is usual; addresses are always in what comes from a segment. Who is in it is fixed when the
    job begins; values are those of the moment at which the job comes to them. Notes are in no export.

    Refused, all faults at once: an unknown list, segment or automation, or none where one is needed, a faulty rule, an
    unknown column. Then NOT_EXPORTABLE: the segment of form submitters (SQ21); RATE_LIMITED.
    """
    problems = Problems()
    what = values["what"]
    subject = values.get("id")
    if values.get("where") is not None and what != "CONTACTS":
        problems.add("INVALID_VALUE", "Only contacts can be chosen by a rule.", "where")
    else:
        await contact_sets.check(values, problems, by=by)
    if what in _SUBJECTS and subject is not None:
        problems.extend(await unknown([Reference(_SUBJECTS[what], subject, ("id",))]))
    elif what in ("LIST", "SEGMENT"):
        problems.add("REQUIRED", f"Say which {_SUBJECTS[what]}.", "id")
    names = list(values.get("columns") or KINDS[what].usual)
    columns = await _columns(what, names, problems)
    if values.get("columns") is None and what == "CONTACTS":
        columns += [FIELD + found.name for found in await fields.find_all()]
    problems.refuse()
    await _check_segment(what, subject)
    await _check_rate(by)
    if what == "SEGMENT" and "email" not in columns:
        columns = ["email", *columns]
    asked = {
        "what": what,
        "id": subject,
        "where": values.get("where"),
        "columns": columns,
        "bom": bool(values.get("bom")),
    }
    return await jobs.begin(KIND, asked, by=by)


async def _columns(what: str, names: Sequence[str], problems: Problems) -> list[str]:
    """The columns as they are kept: custom fields as `field:name`."""
    if len(names) > COLUMNS_MAX:
        problems.add("TOO_LONG", f"Choose at most {COLUMNS_MAX} columns.", "columns")
        return []
    kind = KINDS[what]
    own = {name.lower(): name for name in kind.columns}
    custom = {found.name.lower(): FIELD + found.name for found in await fields.find_all()} if kind.contacts else {}
    found: list[str] = []
    for place, name in enumerate(names):
        spelled = own.get(name.lower()) or custom.get(name.lower().removeprefix(FIELD))
        if spelled is None:
            known = ", ".join(kind.columns)
            problems.add(
                "UNKNOWN_COLUMN",
                f"There is no such column. There are: {known}, and custom fields.",
                "columns",
                str(place),
            )
        elif spelled in found:
            problems.add("DUPLICATE", "This column is named twice.", "columns", str(place))
        else:
            found.append(spelled)
    return found


async def _check_segment(what: str, subject: int | None) -> None:
    if what != "SEGMENT":
        return
    row = await db.row(Sql("SELECT sg.kind, sg.condition FROM segment sg WHERE sg.id = {id}::bigint", id=subject))
    if row and row["kind"] == "SMART" and orjson.loads(row["condition"]) == _FORM_SUBMITTERS:
        raise Conflict(Problem("NOT_EXPORTABLE", "The segment of form submitters cannot be exported.", ("id",)))


async def _check_rate(by: Caller) -> None:
    begun = Sql(
        "SELECT jb.created_at FROM job jb WHERE jb.kind = {kind}::text AND jb.actor = {actor}::text",
        kind=KIND,
        actor=by.actor,
    )
    if await often.wait_seconds(begun, most=EXPORTS_AN_HOUR_MAX, now=by.now):
        raise Limit(Problem("RATE_LIMITED", f"At most {EXPORTS_AN_HOUR_MAX} exports an hour; try again later."))


async def rows(asked: Mapping[str, Any], *, by: Caller) -> Sql:
    """The ids of the rows that are asked for."""
    what, subject = asked["what"], asked["id"]
    if what == "LIST":
        return Sql("SELECT m.contact_id AS id FROM membership m WHERE m.list_id = {id}::bigint", id=subject)
    if what == "TASKS":
        return Sql("SELECT k.id FROM task k")
    if what == "RUNS":
        which = TRUE if subject is None else Sql("r.automation_id = {id}::bigint", id=subject)
        return Sql("SELECT r.id FROM run r WHERE {which}", which=which)
    where = TRUE
    if what == "SEGMENT" or asked["where"] is not None:
        where = await contact_sets.members({"where": asked["where"], "segment_id": subject}, by=by)
    return Sql("SELECT c.id FROM contact c WHERE {where}", where=where)


async def cells(asked: Mapping[str, Any], ids: Sequence[int]) -> Sql:
    """The rows of these ids (ascending) as they stand in the file, in the order of the ids."""
    kind = KINDS[asked["what"]]
    custom = {found.name: found for found in await fields.find_all()} if kind.contacts else {}
    columns, shown = [], []
    for name in asked["columns"]:
        if not name.startswith(FIELD):
            columns.append(kind.columns[name])
        elif known := custom.get(name.removeprefix(FIELD)):
            columns.append(of_field(known.id, known.type))
            shown.append(known.id)
        else:  # deleted since the job began
            columns.append(Sql("NULL::text"))
    first, last = sql.number(ids[0]), sql.number(ids[-1])
    near = Sql("BETWEEN {first} AND {last}", first=first, last=last)  # a stretch of an index
    if ids[-1] - ids[0] >= CLOSE * len(ids):
        near = Sql("IN (SELECT wanted.id FROM wanted)")
    return Sql(
        """
        WITH wanted AS (SELECT unnest({ids}::bigint[]) AS id)
        SELECT {columns}
        FROM {rows}
        ORDER BY wanted.id
        """,
        ids=list(ids),
        columns=sql.join(", ", columns),
        rows=kind.rows.with_(subject=asked["id"], first=first, last=last, near=near, fields=shown),
    )
