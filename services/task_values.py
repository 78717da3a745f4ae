"""What somebody typed in for a task, read strictly: what it says, when it is due and when to be reminded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from kit import db
from kit.errors import Problems
from kit.sql import Sql
from kit.text import TEXT_LENGTH_MAX
from services.given import Given

TYPE = "TODO"
DURATION_MINUTES_MAX = ALERT_MINUTES_MAX = 366 * 24 * 60
ALERTS = ("alert_at", "alert_minutes_before")
AUTOMATIONS = ("on_save_automation_id", "on_complete_automation_id")


def read(values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """A task's columns from its values; `alerts_at`, the instant of the reminder, follows from them (Q23)."""
    given = Given(values, problems)
    task = {
        "title": given.required_text("title"),
        "description": given.text("description", length_max=TEXT_LENGTH_MAX, lines=True),
        "type": given.text("type") or TYPE,
        "due_at": given.instant("due_at"),
        "duration_minutes": given.integer("duration_minutes", most=DURATION_MINUTES_MAX),
        "assignee_id": given.integer("assignee_id"),
        "alert_at": given.instant("alert_at"),
        "alert_minutes_before": given.integer("alert_minutes_before", most=ALERT_MINUTES_MAX),
        "on_save_automation_id": given.integer("on_save_automation_id"),
        "on_complete_automation_id": given.integer("on_complete_automation_id"),
    }
    return task | {"alerts_at": _alerts_at(given, task)}


def changed(current: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a task that is there already, with those of `values` instead. One reminder replaces the other."""
    merged = {**current, **values}
    for one, other in (ALERTS, ALERTS[::-1]):
        if values.get(one) is not None and other not in values:
            merged[other] = None
    return merged


def _alerts_at(given: Given, task: Mapping[str, Any]) -> datetime | None:
    if task["alert_minutes_before"] is None:
        return task["alert_at"]
    if task["alert_at"] is not None:
        given.refuse("INVALID_VALUE", "Give either an instant or the minutes before it is due.", "alertMinutesBefore")
    elif given.values.get("due_at") is None:
        given.refuse("REQUIRED", "A reminder before the task is due needs the time when it is due.", "dueAt")
    elif task["due_at"] is not None:
        try:
            return task["due_at"] - timedelta(minutes=task["alert_minutes_before"])
        except OverflowError:
            given.refuse("OUT_OF_RANGE", "There is no such time.", "alertMinutesBefore")
    return None


async def require(
    contact_id: int | None,
    assignee_id: int | None,
    automation_ids: Mapping[str, int | None],
    problems: Problems,
) -> None:
    """Note a contact, an assignee who can work or an automation that is named and not there. None is not named."""
    row = await db.row(
        Sql(
            """
            SELECT
                EXISTS (SELECT FROM contact c WHERE c.id = {contact}::bigint FOR KEY SHARE) AS contact,
                EXISTS (
                    SELECT FROM user_account u WHERE u.id = {assignee}::bigint AND u.deactivated_at IS NULL
                ) AS assignee,
                ARRAY(
                    SELECT a.id FROM automation a WHERE a.id = ANY({automations}::bigint[]) FOR KEY SHARE
                ) AS automations
            """,
            contact=contact_id,
            assignee=assignee_id,
            automations=[number for number in automation_ids.values() if number is not None],
        )
    )
    assert row is not None
    if contact_id is not None and not row["contact"]:
        problems.add("NOT_FOUND", "This contact does not exist.", "contactId")
    if assignee_id is not None and not row["assignee"]:
        problems.add("NOT_FOUND", "There is no active user with this id.", "assigneeId")
    for path, number in automation_ids.items():
        if number is not None and number not in row["automations"]:
            problems.add("NOT_FOUND", "This automation does not exist.", path)
