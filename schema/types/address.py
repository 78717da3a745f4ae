"""An address of a bill or a parcel."""

from __future__ import annotations

from typing import Any

import strawberry

from kit.sql import Sql
from schema.projection.made import column, one, table


@strawberry.type(description="An address of a bill or a parcel.")
@table("", "ad")
class Address:
    name: str | None = column("ad.name", "To whom, where it is not the customer.")
    line1: str | None = column("ad.line1")
    line2: str | None = column("ad.line2")
    city: str | None = column("ad.city")
    region: str | None = column("ad.region", "The state, county or province.")
    postal_code: str | None = column("ad.postal_code")
    country: str | None = column("ad.country")
    phone: str | None = column("ad.phone")


def address(stored: str, description: str | None = None) -> Any:
    """A field that is the address in this column, null where there is none."""
    rows = Sql(
        """
        jsonb_to_record({stored}) AS ad (
            name text, line1 text, line2 text, city text, region text, postal_code text, country text, phone text
        )
        WHERE {stored} IS NOT NULL
        """,
        stored=Sql(stored),
    )
    return one(rows, description)


@strawberry.input(description="An address of a bill or a parcel; what is blank is left out.")
class AddressInput:
    name: str | None = strawberry.UNSET
    line1: str | None = strawberry.UNSET
    line2: str | None = strawberry.UNSET
    city: str | None = strawberry.UNSET
    region: str | None = strawberry.UNSET
    postal_code: str | None = strawberry.UNSET
    country: str | None = strawberry.UNSET
    phone: str | None = strawberry.UNSET
