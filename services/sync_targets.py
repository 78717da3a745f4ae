"""What the columns of a source become: what imports know and the id over there; of orders what orders have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kit.errors import Problem, Problems, Refused
from services import addresses, mapping
from services.mapping import Targets

EXTERNAL_ID = "external_id"
CONTACT_EXTERNAL_ID = "contact_external_id"
ORDER_ADDRESSES = ("billing", "shipping")
ORDER_TARGETS = (
    *(EXTERNAL_ID, "total", "occurred_at", "email", CONTACT_EXTERNAL_ID),
    *("number", "status", "currency", "customer_name", "physical"),
    *(f"{address}_{part}" for address in ORDER_ADDRESSES for part in addresses.PARTS),
)
_OF_ORDERS = {target.replace("_", ""): target for target in ORDER_TARGETS}


def read(given: Sequence[Mapping[str, str]], brings: str, problems: Problems) -> Targets:
    """The targets that someone gave to columns, in one spelling each; every fault is noted below `mapping`.

    Contacts have an e-mail address or telephone, orders their own id, a total, and the address or the id of a contact.
    """
    wanted: dict[str, str] = {}
    for place, each in enumerate(given):
        column = each["column"].strip()
        if not column or "\0" in column:
            problems.add("REQUIRED", "Name a column.", "mapping", str(place), "column")
        elif column.lower() in {known.lower() for known in wanted}:
            words = f'The column "{column}" can become one thing only.'
            problems.add("DUPLICATE", words, "mapping", str(place), "column")
        else:
            wanted[column] = each["target"]
    return _of_orders(wanted, problems) if brings == "ORDERS" else _of_contacts(wanted, problems)


def _of_contacts(wanted: Mapping[str, str], problems: Problems) -> Targets:
    keys = [column for column, target in wanted.items() if _plain(target) == "externalid"]
    rest = {column: target for column, target in wanted.items() if column not in keys}
    try:
        found = mapping.read(tuple(rest), rest)
    except Refused as refused:
        problems.extend(_told(each) for each in refused.problems)
        return {}
    if len(keys) > 1:
        problems.add("DUPLICATE", 'Only one column can become "externalId".', "mapping", keys[1])
    return found | dict.fromkeys(keys[:1], EXTERNAL_ID)


def _of_orders(wanted: Mapping[str, str], problems: Problems) -> Targets:
    found: Targets = {}
    for column, target in wanted.items():
        known = _OF_ORDERS.get(_plain(target))
        if known is None:
            allowed = ", ".join(map(mapping.spelled, ORDER_TARGETS))
            problems.add("INVALID_VALUE", f'"{target}" is no target. Use one of {allowed}.', "mapping", column)
        elif known in found.values():
            problems.add("DUPLICATE", f'Only one column can become "{target}".', "mapping", column)
        else:
            found[column] = known
    for target in (EXTERNAL_ID, "total"):
        if target not in found.values():
            problems.add("REQUIRED", f"Say which column holds the {mapping.spelled(target)} of the order.", "mapping")
    if not {"email", CONTACT_EXTERNAL_ID} & set(found.values()):
        problems.add("IDENTIFIER_REQUIRED", "Say which column holds the email or contactExternalId.", "mapping")
    return found


def _told(problem: Problem) -> Problem:
    if problem.code == "IDENTIFIER_REQUIRED":
        return Problem(problem.code, "Say which column holds the e-mail address or the telephone.", ("mapping",))
    return Problem(problem.code, problem.message, ("mapping", *problem.path[1:]))


def _plain(target: str) -> str:
    return target.strip().replace("_", "").lower()
