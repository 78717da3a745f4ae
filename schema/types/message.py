"""A message: what can be sent, with gaps for what is known of a contact."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums.mail import DeliveryChannel
from schema.node import Node, global_id
from schema.projection.made import column, table


@strawberry.type(description="What can be sent. Subject and bodies are Liquid: {{ first_name }}, {{ fields.city }}.")
@table("message", "me", "message")
class Message(Node):
    id: strawberry.ID = global_id("message", "me")
    name: str | None = column("me.name", "Null: its words are written into a step of an automation.")
    channel: DeliveryChannel = column("me.channel")
    subject: str | None = column("me.subject")
    preheader: str | None = column("me.preheader", "What mailboxes show beside the subject.")
    html: str | None = column("CASE me.format WHEN 'HTML' THEN me.source END", "As it was written.")
    mjml: str | None = column("CASE me.format WHEN 'MJML' THEN me.source END", "As it was written.")
    ready_html: str | None = column("me.html", "What is filled in for each contact: styles stand in the elements.")
    text: str | None = column("me.text", "The text part, made of the HTML if none was given; of a text message all.")
    url: str | None = column("me.url", "Of a webhook.")
    from_name: str | None = column("me.from_name", "Who it says it is from; null: the sender of this server.")
    reply_to: str | None = column("me.reply_to")
    tracked: bool = column("me.tracked", "Whether opens and clicks are noted.")
    version: int = column("me.version", "Counts its edits.")
    created_at: datetime = column("me.created_at")
    updated_at: datetime = column("me.updated_at")
