"""What every input has by which a shop tells us something: the id it has there, and whom it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import strawberry

from kit import ids
from schema.mutation import Given

OCCURRED = "Now, if nothing is said; in the past as far as you like."

_NAMES = {"externalSource": "external_source", "externalId": "external_id", "email": "email"}
_ADDRESS = {"postalCode": "postal_code"}


@strawberry.input
class Told:
    external_id: str = strawberry.field(description="Its id outside; the same again is the same thing.")
    external_source: str | None = strawberry.field(
        default=strawberry.UNSET, description="The system whose id that is, such as shopify."
    )
    contact_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Whom it is about: this, or the address."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="Whose it is; an address nobody has makes a contact."
    )


def values(given: Given, names: Mapping[str, str], *, addresses: Sequence[str] = ()) -> dict[str, Any]:
    """The input under the verb's names; an id that is none is left to the verb, which reports all faults at once."""
    found = given.named(**_NAMES, **names)
    if given.get("contactId") is not None:
        found["contact_id"] = ids.find("contact", given["contactId"]) or 0
    for address in addresses:
        if address in given:
            parts = given[address]
            inside = address.replace("Address", "_address")
            found[inside] = parts and {_ADDRESS.get(part, part): text for part, text in parts.items()}
    return found
