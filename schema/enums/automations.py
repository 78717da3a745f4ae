"""How automations, runs and visits stand, in fixed words."""

from __future__ import annotations

from schema.enums.words import words

AutomationStatus = words("AutomationStatus", "Whether an automation works.", "INACTIVE", "ACTIVE", "ARCHIVED")
AutomationStop = words(
    "AutomationStop", "Why an automation stopped by itself: too many called its e-mails spam.", "COMPLAINTS"
)
EntryPolicy = words(
    "EntryPolicy", "How often a contact may enter: always, once ever, not while inside.", "ANY", "ONCE", "AFTER_EXIT"
)
TriggerRuns = words("TriggerRuns", "How often a contact enters by one trigger.", "ONCE", "MULTIPLE")
StepChange = words("StepChange", "What a new version does to a step.", "CHANGED", "REMOVED")
EntryVia = words(
    "EntryVia",
    "The way a contact came into an automation.",
    "TRIGGER",
    "MANUAL",
    "API",
    "BULK",
    "NOTE",
    "TASK",
    "FORM",
    "AUTOMATION",
    "IMPORT",
)
EntryRefusal = words(
    "EntryRefusal",
    "Why an automation did not let a contact in.",
    "AUTOMATION_NOT_ACTIVE",
    "ENTRY_NOT_ALLOWED",
    "TRIGGER_ONCE",
    "TRIGGER_CAP",
)
RunStatus = words("RunStatus", "Whether a run goes on.", "ACTIVE", "ENDED")
RunState = words("RunState", "What a run is doing.", "RUNNING", "WAITING", "PAUSED", "ENDED")
RunEndReason = words(
    "RunEndReason",
    "Why a run ended.",
    "COMPLETED",
    "END_ACTION",
    "GOAL_NOT_MET",
    "MANUAL",
    "UNSUBSCRIBED",
    "ENDED_BY_AUTOMATION",
    "AUTOMATION_ARCHIVED",
    "CONTACT_DELETED",
    "ERROR",
)
VisitStatus = words("VisitStatus", "How a run fared at a step.", "IN_PROGRESS", "COMPLETED", "SKIPPED", "FAILED")
