"""What becomes of two contacts that are made one: decided value by value, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kit.errors import Problems
from services import identity
from services.fields import Field
from services.record import STAGES

KEPT, MERGED = "KEPT", "MERGED"
Picture = Mapping[str, Any]  # all that is known of one contact, as `merging.pictures` reads it

# What can be chosen besides custom fields, and the columns that go together.
ATTRIBUTES = {
    "email": ("email",),
    "phone": ("phone",),
    "firstName": ("first_name",),
    "lastName": ("last_name",),
    "jobTitle": ("job_title",),
    "company": ("company_id",),
    "timezone": ("timezone",),
    "location": ("region", "city", "postal_code", "location_told", "country"),
    "lifecycleStage": ("lifecycle_stage",),
    "externalId": ("external_source", "external_id"),
}
ACCOUNT = "customerAccount"
# The strictest comes first: nobody who has left is written to again because two records became one.
_STRICTNESS = ("UNSUBSCRIBED", "BOUNCED", "UNCONFIRMED", "ACTIVE")


@dataclass(frozen=True, slots=True)
class Value:
    """One attribute or custom field: what both had, whose is taken, and what the kept contact has afterwards."""

    name: str
    kept: Any
    merged: Any
    taken: str

    @property
    def result(self) -> Any:
        return self.merged if self.taken == MERGED else self.kept


@dataclass(slots=True)
class Plan:
    """Everything that is decided about a merge."""

    values: list[Value] = field(default_factory=list)
    contact: dict[str, Any] = field(default_factory=dict)  # columns of the kept contact that change
    fields: list[int] = field(default_factory=list)  # custom fields in which the merged one's value is taken
    both: list[tuple[int, int]] = field(default_factory=list)  # memberships of the same list, the kept one's first
    tightened: list[int] = field(default_factory=list)  # memberships of the kept one that become what the other's is
    lifecycle: dict[str, str] = field(default_factory=dict)  # stage → since when
    account: str | None = None  # whose customer account goes on; None where neither has one

    def changed(self) -> list[str]:
        """The names of what is another value than the kept contact had."""
        return [value.name for value in self.values if value.result != value.kept]


def plan(
    kept: Picture,
    gone: Picture,
    choose: Sequence[Mapping[str, str]],
    *,
    fields: Iterable[Field],
    email_immutable: bool,
) -> Plan:
    """What the kept contact is after it took the other in.

    Whose value is taken is said by `choose` [{field, from}]; else the kept contact's, or the other's where it has none.
    Of lifecycle stages the further one is taken if nothing is said. Consent is not for choice: the stricter one holds.
    """
    problems = Problems()
    known = {found.name.lower(): found for found in fields}
    chosen = _read(choose, known, problems)
    result = Plan()
    for name, columns in ATTRIBUTES.items():
        taken = chosen.get(name, (None, 0))[0] or _usual(name, kept["contact"], gone["contact"])
        side = gone if taken == MERGED else kept
        result.values.append(Value(name, _shown(name, kept), _shown(name, gone), taken))
        result.contact |= {
            column: side["contact"][column] for column in columns if side["contact"][column] != kept["contact"][column]
        }
    _judge_identifiers(result, kept, chosen, email_immutable, problems)
    _take_fields(result, kept, gone, known, chosen)
    if kept["account"] or gone["account"]:
        usual = KEPT if kept["account"] else MERGED
        wanted = chosen.get(ACCOUNT, (usual, 0))[0]
        # An account is somebody's way in: a choice can only be between two, not for none.
        result.account = wanted if (kept if wanted == KEPT else gone)["account"] else usual
    problems.refuse()
    result.contact |= _marketing(kept["contact"], gone["contact"])
    result.contact |= _first_known(kept["contact"], gone["contact"])
    result.both = _on_the_same_list(kept, gone)
    result.tightened = _tightened(kept, gone)
    result.lifecycle = _entered(kept, gone, {**kept["contact"], **result.contact}["lifecycle_stage"])
    return result


def stricter(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a membership allows less than the other: UNSUBSCRIBED, by the contact itself first, … ACTIVE."""
    return _rank(one) < _rank(other)


def _rank(membership: Mapping[str, Any]) -> tuple[int, bool]:
    return _STRICTNESS.index(membership["status"]), membership["unsubscribed_by"] != "CONTACT"


def entries(picture: Picture) -> dict[str, str]:
    """When the contact last came into each stage, where that is written down."""
    return {row["stage"]: row["entered_at"] for row in picture["lifecycle"]}


def _read(
    choose: Sequence[Mapping[str, str]], fields: Mapping[str, Field], problems: Problems
) -> dict[str, tuple[str, int]]:
    """The choices by the name of what they are about, with their place in the input."""
    found: dict[str, tuple[str, int]] = {}
    for place, choice in enumerate(choose):
        name = choice["field"]
        if name not in (*ATTRIBUTES, ACCOUNT):
            if name.lower() not in fields:
                problems.add("UNKNOWN_FIELD", "There is no such field.", "choose", str(place), "field")
                continue
            name = fields[name.lower()].name
        if name in found:
            problems.add("DUPLICATE", "Choose once for each field.", "choose", str(place), "field")
        found[name] = (choice["from"], place)
    return found


def _usual(name: str, kept: Mapping[str, Any], gone: Mapping[str, Any]) -> str:
    if name == "lifecycleStage":
        further = STAGES.index(gone["lifecycle_stage"]) > STAGES.index(kept["lifecycle_stage"])
        return MERGED if further else KEPT
    column = ATTRIBUTES[name][-1]
    return MERGED if kept[column] is None and gone[column] is not None else KEPT


def _shown(name: str, picture: Picture) -> Any:
    return picture["company"] if name == "company" else picture["contact"][ATTRIBUTES[name][-1]]


def _judge_identifiers(
    result: Plan,
    kept: Picture,
    chosen: Mapping[str, tuple[str, int]],
    email_immutable: bool,
    problems: Problems,
) -> None:
    after = {**kept["contact"], **result.contact}
    place = str(chosen.get("email", chosen.get("phone", ("", 0)))[1])
    if not (after["email"] or after["phone"]):
        problems.add(identity.IDENTIFIER_REQUIRED.code, identity.IDENTIFIER_REQUIRED.message, "choose", place, "from")
    elif email_immutable and kept["contact"]["email"] not in (None, after["email"]):
        problems.add(identity.EMAIL_IMMUTABLE.code, identity.EMAIL_IMMUTABLE.message, "choose", place, "from")


def _take_fields(
    result: Plan, kept: Picture, gone: Picture, known: Mapping[str, Field], chosen: Mapping[str, tuple[str, int]]
) -> None:
    had = {row["field_id"]: row["value"] for row in kept["fields"]}
    other = {row["field_id"]: row["value"] for row in gone["fields"]}
    for found in known.values():
        if found.id in had or found.id in other:
            usual = KEPT if found.id in had else MERGED
            taken = chosen.get(found.name, (usual, 0))[0]
            result.values.append(Value(found.name, had.get(found.id), other.get(found.id), taken))
            if taken == MERGED:
                result.fields.append(found.id)


def _marketing(kept: Mapping[str, Any], gone: Mapping[str, Any]) -> dict[str, Any]:
    """Whoever of the two wants no marketing any more, wants none as one; else whoever ticked the box first."""
    columns = ("marketing_opt_in_at", "marketing_revoked_at")
    for one in (kept, gone):
        if one["marketing_revoked_at"] and not one["marketing_opt_in_at"]:
            if one is kept:
                return {}
            return {column: one[column] for column in columns if one[column] != kept[column]}
    ticked = [one["marketing_opt_in_at"] for one in (kept, gone) if one["marketing_opt_in_at"]]
    earliest = min(ticked, key=_instant, default=None)
    return {"marketing_opt_in_at": earliest} if earliest != kept["marketing_opt_in_at"] else {}


def _first_known(kept: Mapping[str, Any], gone: Mapping[str, Any]) -> dict[str, Any]:
    """As one they are known since the earlier day, and by the way they came then."""
    if _instant(gone["created_at"]) < _instant(kept["created_at"]):
        return {"created_at": gone["created_at"], "origin": gone["origin"]}
    return {}


def _on_the_same_list(kept: Picture, gone: Picture) -> list[tuple[int, int]]:
    of_list = {row["list_id"]: row["id"] for row in kept["memberships"]}
    return [(of_list[row["list_id"]], row["id"]) for row in gone["memberships"] if row["list_id"] in of_list]


def _tightened(kept: Picture, gone: Picture) -> list[int]:
    of_list = {row["list_id"]: row for row in kept["memberships"]}
    return [
        of_list[row["list_id"]]["id"]
        for row in gone["memberships"]
        if row["list_id"] in of_list and stricter(row, of_list[row["list_id"]])
    ]


def _entered(kept: Picture, gone: Picture, stage: str) -> dict[str, str]:
    """As one they came into a stage when the later of them did; they began as a SUBSCRIBER when the earlier did."""
    result = entries(kept)
    for entered, at in entries(gone).items():
        if entered not in result or _instant(at) > _instant(result[entered]):
            result[entered] = at
    began = [one["contact"] for one in (kept, gone) if one["contact"]["lifecycle_stage"] == STAGES[0]]
    if began and stage != STAGES[0] and STAGES[0] not in result:
        result[STAGES[0]] = min((one["created_at"] for one in began), key=_instant)
    return result


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)
