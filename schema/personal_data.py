"""Everything that is stored about a person, for whoever asks what we know of them."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit import ids
from schema.access import Role, admit
from schema.audited import entry_of, logged
from schema.projection.selection import arguments_of
from schema.scalars import JSON
from services import personal_data


@strawberry.type
class Query:
    @strawberry.field(
        description="All that is stored about a contact as one document: the record, consent, activity, runs, orders. "
        "For admins; leaves an entry in the audit log."
    )
    async def export_personal_data(self, info: Info, contact_id: strawberry.ID) -> JSON | None:
        entry = entry_of(info._raw_info, info.context.request_id, arguments_of(info._raw_info))
        async with logged(entry, info.context.caller):
            by = admit(info, Role.ADMIN)
            contact = ids.take("contact", contact_id, "contactId")
            return await personal_data.export(contact, entry, by=by)  # type: ignore[return-value]
