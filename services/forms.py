"""Forms: what a website asks strangers for, and what happens to whoever answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kit import card, db
from kit.card import Reference
from kit.errors import Invalid, Problems, conflict, not_found
from kit.sql import Sql
from kit.text import TEXT_LENGTH_MAX
from kit.web import origin, web_address
from services import fields, form_action, lists, memberships, tags
from services.caller import Caller
from services.form_action import FormAction
from services.given import Given
from services.references import unknown

ASKED_MAX = 50
ACTIONS_MAX = 50
ORIGINS_MAX = 50

# What a form can ask of a contact beside custom fields, and the verbs' names of it.
ATTRIBUTES = {
    "email": "email",
    "phone": "phone",
    "firstName": "first_name",
    "lastName": "last_name",
    "jobTitle": "job_title",
    "company": "company",
}
# What a form sends beside its answers.
RESERVED = ("marketing", "pageName", "pageUrl", "parcoursVisitor")
_SWITCHES = ("active", "double_opt_in", "marketing_box")


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it is; `asks` has the names and whether they are required, `actions` the API's JSON."""

    id: int
    name: str
    version: int
    active: bool
    asks: list[dict[str, Any]]
    double_opt_in: bool
    marketing_box: bool
    consent_wording: str | None
    actions: list[dict[str, Any]]
    allowed_origins: list[str]
    redirect_url: str | None

    def cards(self) -> list[FormAction]:
        """What happens to whoever sends it, in this order."""
        return [form_action.read(each) for each in self.actions]


async def find(form_id: int) -> Form | None:
    """The form of this id."""
    row = await db.row(
        Sql(
            """
            SELECT
                fo.id, fo.name, fo.version, fo.active, fo.asks, fo.double_opt_in, fo.marketing_box,
                fo.consent_wording, fo.actions, fo.allowed_origins, fo.redirect_url
            FROM form fo
            WHERE fo.id = {id}::bigint
            """,
            id=form_id,
        )
    )
    if row is None:
        return None
    return Form(**{**row, "asks": orjson.loads(row["asks"]), "actions": orjson.loads(row["actions"])})


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new form; its id.

    `values`: name, fields [{name, label, required}], actions in the API's JSON, active, double_opt_in, marketing_box,
    consent_wording, allowed_origins (none: every website), redirect_url. Refused, all faults at once: no name or one
    that exists (NAME_TAKEN), neither e-mail nor telephone asked for (IDENTIFIER_REQUIRED), unknown fields, faulty
    actions or ones that name what is not there.
    """
    async with db.transaction():
        wanted = await _read({"name": None, "fields": None, **values}, by)
        made = await db.value(
            Sql(
                """
                INSERT INTO form (
                    name, active, asks, double_opt_in, marketing_box, consent_wording, actions, allowed_origins,
                    redirect_url, created_at, updated_at
                )
                VALUES (
                    {name}::text, {active}::boolean, {asks}::jsonb, {double_opt_in}::boolean, {marketing_box}::boolean,
                    {consent_wording}::text, {actions}::jsonb, {allowed_origins}::text[], {redirect_url}::text,
                    {now}::timestamptz, {now}::timestamptz
                )
                ON CONFLICT DO NOTHING
                RETURNING id
                """,
                **{**_DEFAULTS, **wanted},
                now=by.now,
            )
        )
        if made is None:
            raise conflict("NAME_TAKEN", "Another form has this name.", "name")
        return made


async def update(form_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change a form; what `values` does not name stays, and its version counts up. Refused as in `create`, NOT_FOUND.

    What was sent before is left as it is, with the version it was sent with.
    """
    async with db.transaction():
        current = await db.row(
            Sql(
                """
                SELECT
                    fo.name, fo.active, fo.asks, fo.double_opt_in, fo.marketing_box, fo.consent_wording, fo.actions,
                    fo.allowed_origins, fo.redirect_url
                FROM form fo
                WHERE fo.id = {id}::bigint
                FOR NO KEY UPDATE
                """,
                id=form_id,
            )
        )
        if current is None:
            raise not_found("form", "id")
        wanted = await _read(values, by)
        taken = Sql(
            "SELECT fo.id FROM form fo WHERE lower(fo.name) = lower({name}::text) AND fo.id <> {id}::bigint",
            name=wanted.get("name", current["name"]),
            id=form_id,
        )
        if await db.value(taken) is not None:
            raise conflict("NAME_TAKEN", "Another form has this name.", "name")
        await db.execute(
            Sql(
                """
                UPDATE form fo
                SET name = {name}::text,
                    version = fo.version + 1,
                    active = {active}::boolean,
                    asks = {asks}::jsonb,
                    double_opt_in = {double_opt_in}::boolean,
                    marketing_box = {marketing_box}::boolean,
                    consent_wording = {consent_wording}::text,
                    actions = {actions}::jsonb,
                    allowed_origins = {allowed_origins}::text[],
                    redirect_url = {redirect_url}::text,
                    updated_at = {now}::timestamptz
                WHERE fo.id = {id}::bigint
                """,
                **{**current, **wanted},
                id=form_id,
                now=by.now,
            )
        )


_DEFAULTS: dict[str, Any] = {
    "active": True,
    "double_opt_in": False,
    "marketing_box": False,
    "consent_wording": None,
    "actions": "[]",
    "allowed_origins": [],
    "redirect_url": None,
}


async def _read(values: Mapping[str, Any], by: Caller) -> dict[str, Any]:
    """The columns that an input names. Refused with every fault."""
    problems = Problems()
    given = Given(values, problems)
    wanted: dict[str, Any] = {}
    if "name" in given:
        wanted["name"] = given.required_text("name")
    if "fields" in given:
        wanted["asks"] = db.jsonb(await _asked(values["fields"], problems))
    for key in _SWITCHES:
        if key in given:
            wanted[key] = _DEFAULTS[key] if values[key] is None else values[key]
    if "consent_wording" in given:
        wanted["consent_wording"] = given.text("consent_wording", length_max=TEXT_LENGTH_MAX, lines=True)
    actions: list[FormAction] = []
    if "actions" in given:
        actions = await _actions(values["actions"] or [], problems)
        wanted["actions"] = db.jsonb(values["actions"] or [])
    if "allowed_origins" in given:
        wanted["allowed_origins"] = _origins(values["allowed_origins"] or [], problems)
    if "redirect_url" in given:
        typed = given.text("redirect_url", length_max=2_000)
        if typed is not None and not web_address(typed):
            problems.add("INVALID_VALUE", "Give a whole address that begins with https:// or http://.", "redirectUrl")
        wanted["redirect_url"] = typed
    problems.refuse()
    await _make_tags(actions, by)
    return wanted


async def _asked(given: Any, problems: Problems) -> list[dict[str, Any]]:
    """What the form asks for, each once and spelled as it is defined."""
    if not isinstance(given, list | tuple) or not given:
        problems.add("REQUIRED", "Say what the form asks for.", "fields")
        return []
    if len(given) > ASKED_MAX:
        problems.add("TOO_LONG", f"A form asks for at most {ASKED_MAX} things.", "fields")
        return []
    known = {name.lower(): name for name in ATTRIBUTES}
    typed = [each.get("name") for each in given]
    known |= {name: field.name for name, field in (await fields.find([n for n in typed if isinstance(n, str)])).items()}
    found: list[dict[str, Any]] = []
    for place, each in enumerate(given):
        name = known.get(each["name"].lower()) if isinstance(each.get("name"), str) else None
        if name is None:
            problems.add("UNKNOWN_FIELD", "There is no field of this name.", "fields", str(place), "name")
        elif name in RESERVED:
            problems.add("INVALID_VALUE", "This word has a meaning of its own.", "fields", str(place), "name")
        elif any(other["name"] == name for other in found):
            problems.add("DUPLICATE", "This field is named twice.", "fields", str(place), "name")
        else:
            label = Given(each, problems, path=("fields", str(place))).text("label")
            found.append({"name": name, "label": label, "required": bool(each.get("required"))})
    if not problems and not {"email", "phone"} & {each["name"] for each in found}:
        problems.add("IDENTIFIER_REQUIRED", "A form asks for an e-mail address or a telephone.", "fields")
    return found


async def _actions(given: Any, problems: Problems) -> list[FormAction]:
    if not isinstance(given, list | tuple) or len(given) > ACTIONS_MAX:
        problems.add("INVALID_VALUE", f"Give a list of at most {ACTIONS_MAX} actions.", "actions")
        return []
    found: list[FormAction] = []
    references: list[Reference] = []
    for place, each in enumerate(given):
        path = ("actions", str(place))
        try:
            action = form_action.read(each, path)
        except Invalid as refused:
            problems.extend(refused.problems)
            continue
        found.append(action)
        (key,) = (key for key, value in each.items() if value is not None)
        references += card.references(action, (*path, key))
    problems.extend(await unknown(references))
    for each in references:
        if each.kind == "list" and await lists.is_smart(int(each.key)):
            problems.add(memberships.LIST_IS_SMART, "Who is on this list follows its rule.", *each.path)
    return found


async def _make_tags(actions: Sequence[FormAction], by: Caller) -> None:
    """The tags are there before anybody sends the form: a limit is for its author, not for strangers."""
    names = {each.key for action in actions for each in card.references(action) if each.kind == "tag"}
    if names:
        await tags.ensure(sorted(str(name) for name in names), by=by)


def _origins(given: Any, problems: Problems) -> list[str]:
    if not isinstance(given, list | tuple) or len(given) > ORIGINS_MAX:
        problems.add("INVALID_VALUE", f"Give a list of at most {ORIGINS_MAX} websites.", "allowedOrigins")
        return []
    found: list[str] = []
    for place, each in enumerate(given):
        read = origin(each)
        if read is None:
            problems.add("INVALID_VALUE", "Give a website such as https://example.org.", "allowedOrigins", str(place))
        elif read not in found:
            found.append(read)
    return found
