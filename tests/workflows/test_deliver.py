"""What is queued goes out: once, to whom it may, with what is known of them; and what becomes of it is known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from kit import db
from kit.sql import Sql, ids
from services import consent, contacts, deliveries, exclusions, fields, lists, memberships
from services.caller import Caller
from tests.mailbox import Mailbox
from tests.workflows.stage import Stage, line, step
from workflows import deliver, entry

Found = Callable[[], Awaitable[list[dict[str, Any]]]]


class Post(Stage):
    """A stage with a list of mail, and deliveries to look at."""

    news: int

    async def subscriber(self, status: str = "ACTIVE", **values: Any) -> int:
        contact = await self.contact(**values)
        await memberships.join(ids([contact]), self.news, status=status, by=self.caller)
        return contact

    async def send(self, *contacts: int, **told: Any) -> list[int]:
        """An automation of one mail for these contacts; its runs, moved as far as they go."""
        told = told or {"subject": "Hello {{ first_name }}", "body": "<p>Dear {{ first_name }}</p>"}
        automation_id = await self.draw([step("mail", "sendEmail", **told)])
        runs = await self.enter(automation_id, *contacts)
        await self.settle()
        return runs

    async def deliveries(self) -> list[dict[str, Any]]:
        return await db.rows(Sql("SELECT * FROM delivery dv ORDER BY dv.id"))

    async def statuses(self) -> list[str]:
        return [
            row["status"] if row["reason"] is None else f"{row['status']} {row['reason']}"
            for row in await self.deliveries()
        ]


@pytest.fixture
async def post(caller: Caller) -> Post:
    stage = Post(caller)
    stage.news = await lists.create("News", by=caller)
    return stage


async def test_a_mail_goes_out_filled_in_with_both_parts_and_a_way_to_leave(post: Post, mailbox: Mailbox) -> None:
    await fields.create({"name": "city", "label": "City", "type": "TEXT"}, by=post.caller)
    contact = await post.subscriber(email="ann@stage.test", first_name="<Ann>")
    await post.tag(contact, "vip")
    body = '<style>p{color:red}</style><p>Dear {{ first_name }} {% if tags contains "vip" %}!{% endif %}{{ fields.city }}</p>'
    (run,) = await post.send(contact, subject="Hello {{ first_name }}", body=body)
    assert await post.walked(run) == [("mail", "COMPLETED")]
    assert mailbox.messages == []
    assert await deliver.pass_(post.now) == 1
    (message,) = mailbox.messages
    assert message["To"] == "ann@stage.test"
    assert message["Subject"] == "Hello <Ann>"
    html, text = (message.get_body((kind,)).get_content() for kind in ("html", "plain"))
    assert '<p style="color: red;">Dear &lt;Ann&gt; !</p>' in html
    assert text.startswith("Dear <Ann> !")
    leave = message["List-Unsubscribe"].strip("<>")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert leave in html and leave in text
    assert "ann" not in leave
    (delivery,) = await post.deliveries()
    assert (delivery["status"], delivery["attempt"], delivery["answer"]) == ("SENT", 1, "250 OK")
    assert delivery["provider_id"] == message["Message-ID"]
    assert await deliver.pass_(post.now) == 0
    kinds = await db.column(Sql("SELECT e.kind FROM event e WHERE e.contact_id = {id}::bigint", id=contact))
    assert kinds.count("EMAIL_SENT") == 1
