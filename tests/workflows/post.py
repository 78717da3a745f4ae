"""A stage with a list of mail, and deliveries to look at."""

from __future__ import annotations

from typing import Any

from kit import db
from kit.sql import Sql, ids
from services import lists, memberships
from services.caller import Caller
from tests.workflows.stage import Stage, step
from workflows import deliver


class Post(Stage):
    """Contacts on the list `news` are sent to; nothing goes out before `deliver`."""

    news: int

    @classmethod
    async def open(cls, caller: Caller) -> Post:
        stage = cls(caller)
        stage.news = await lists.create("News", by=caller)
        return stage

    async def subscriber(self, **values: Any) -> int:
        contact = await self.contact(**values)
        await memberships.join(ids([contact]), self.news, by=self.caller)
        return contact

    async def send(self, *contacts: int, **told: Any) -> list[int]:
        """An automation of one mail for these contacts; its runs, moved as far as they go."""
        told = told or {"subject": "Hello {{ first_name }}", "body": "<p>Dear {{ first_name }}</p>"}
        runs = await self.enter(await self.draw([step("mail", "sendEmail", **told)]), *contacts)
        await self.settle()
        return runs

    async def deliver(self) -> None:
        """Send until nothing is due at this instant."""
        while await deliver.pass_(self.now):
            pass

    async def deliveries(self) -> list[dict[str, Any]]:
        return await db.rows(Sql("SELECT * FROM delivery dv ORDER BY dv.id"))

    async def became(self) -> list[str]:
        """Status and reason of every delivery."""
        return [" ".join(filter(None, (row["status"], row["reason"]))) for row in await self.deliveries()]
