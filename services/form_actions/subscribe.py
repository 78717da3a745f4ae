"""Put the contact on a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit import db
from kit.card import ListId
from kit.sql import Sql
from services import memberships
from services.caller import Caller
from services.form_action import FormAction, Sent


@dataclass(frozen=True)
class Subscribe(FormAction):
    """At once, or once it has confirmed where the form or the list asks for double opt-in (Q33)."""

    list_id: ListId

    examples: ClassVar = ({"listId": "list_1"},)
    needs_consent: ClassVar[bool] = True

    async def apply(self, sent: Sent, *, by: Caller) -> None:
        asks = Sql("SELECT l.double_opt_in FROM contact_list l WHERE l.id = {id}::bigint", id=self.list_id)
        join = memberships.request if sent.double_opt_in or await db.value(asks) else memberships.join
        await join(sent.contacts, self.list_id, by=by)
        sent.lists.append(self.list_id)
