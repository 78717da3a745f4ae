"""Who works here and what they are told, in fixed words."""

from __future__ import annotations

from schema.enums.words import words

Role = words(
    "Role", "What a user may do; each may also do what those before it may.", "VIEWER", "MEMBER", "ADMIN", "OWNER"
)
TaskStatus = words("TaskStatus", "Whether a task is done.", "INCOMPLETE", "COMPLETE")
TaskRelationKind = words("TaskRelationKind", "What a task can be about.", "CONTACT")
NotificationKind = words(
    "NotificationKind",
    "What a user is told: somebody gave it a task, the reminder of one, a form that notifies it was sent, a webhook is "
    "paused (admins), a job of its own has ended, a campaign or an automation is called spam or has stopped by itself "
    "(admins).",
    "TASK_ASSIGNED",
    "TASK_ALERT",
    "FORM_SUBMITTED",
    "WEBHOOK_PAUSED",
    "JOB_FINISHED",
    "CAMPAIGN_WARNING",
    "CAMPAIGN_PAUSED",
    "AUTOMATION_WARNING",
    "AUTOMATION_PAUSED",
)
AuditOutcome = words(
    "AuditOutcome",
    "What became of an operation: done, refused as it was asked, not allowed to this role, or broken off by a fault.",
    "DONE",
    "REFUSED",
    "FORBIDDEN",
    "FAILED",
)
