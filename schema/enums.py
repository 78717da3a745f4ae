"""The words of the API that come in a fixed set, in capitals, stored as they are shown."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry


def words(name: str, description: str, *members: str) -> Any:
    """An enum whose members' values are their names."""
    made: Any = Enum(name, {member: member for member in members})
    return strawberry.enum(made, name=name, description=description)


ContactKind = words(
    "ContactKind", "By which identifiers a contact is known.", "EMAIL_ONLY", "PHONE_ONLY", "EMAIL_AND_PHONE"
)
LifecycleStage = words(
    "LifecycleStage",
    "How far a contact has come, in order.",
    "SUBSCRIBER",
    "LEAD",
    "MQL",
    "SQL",
    "OPPORTUNITY",
    "CUSTOMER",
    "EVANGELIST",
    "OTHER",
)
EngagementLevel = words(
    "EngagementLevel", "How often a contact opens and clicks.", "MOST", "SOMEWHAT", "LEAST", "EVERYONE_ELSE"
)
Role = words(
    "Role", "What a user may do; each may also do what those before it may.", "VIEWER", "MEMBER", "ADMIN", "OWNER"
)
MembershipStatus = words(
    "MembershipStatus", "How a contact stands on a list.", "ACTIVE", "UNCONFIRMED", "UNSUBSCRIBED", "BOUNCED"
)
MembershipSource = words(
    "MembershipSource", "Who made a membership what it is.", "CONTACT", "MANUAL", "AUTOMATION", "UNKNOWN"
)
Channel = words("Channel", "By what a list is reached.", "EMAIL", "SMS")
DeliveryChannel = words("DeliveryChannel", "The way in which something leaves the house.", "EMAIL", "SMS", "WEBHOOK")
DeliveryOrigin = words(
    "DeliveryOrigin",
    "What asked for it: a step for the contact, a campaign, a person; a notice to the team, a test, another server.",
    "AUTOMATION",
    "CAMPAIGN",
    "PERSONAL",
    "NOTICE",
    "TEST",
    "HOOK",
)
DeliveryStatus = words(
    "DeliveryStatus",
    "Where it stands. DATA: it is being handed over, and not sent again by itself. UNKNOWN: it was cut off there. "
    "SUPPRESSED: by then it must not go out any more.",
    "QUEUED",
    "SENDING",
    "DATA",
    "SENT",
    "FAILED",
    "UNKNOWN",
    "SUPPRESSED",
)
CampaignStatus = words(
    "CampaignStatus",
    "Where a campaign stands: it waits for its instant, it goes out, it was held up, everybody's turn has come.",
    *("DRAFT", "SCHEDULED", "SENDING", "PAUSED", "SENT", "CANCELLED"),
)
CampaignAudience = words(
    "CampaignAudience",
    "Who is meant where a campaign has lists and a segment: who is on a list or in the segment, or only who is both.",
    *("EITHER", "BOTH"),
)
CampaignStop = words(
    "CampaignStop",
    "Why a campaign paused by itself: too many addresses that do not exist, or too many who called it spam.",
    *("BOUNCES", "COMPLAINTS"),
)
SyncDatabase = words("SyncDatabase", "What another database is; MYSQL is MariaDB, too.", "POSTGRES", "MYSQL", "MSSQL")
SyncContent = words("SyncContent", "What its rows are.", "CONTACTS", "ORDERS")
SyncTls = words(
    "SyncTls", "How a connection is encrypted; VERIFY looks at the certificate.", "OFF", "PREFER", "REQUIRE", "VERIFY"
)
ExclusionKind = words(
    "ExclusionKind", "How an address is recognised, whatever its case.", "EXACTLY", "BEGINS_WITH", "ENDS_WITH"
)
Origin = words("Origin", "How a contact came to be known.", "FORM", "IMPORT", "MANUAL", "API", "CHECKOUT", "SYNC")
SubmissionOutcome = words(
    "SubmissionOutcome",
    "What became of what was sent with a form: a contact was made or changed; a machine sent it; a limit kept it out.",
    "CREATED",
    "UPDATED",
    "SPAM",
    "REFUSED",
)
FieldType = words(
    "FieldType",
    "What values a custom field takes.",
    "TEXT",
    "TEXTAREA",
    "DATE",
    "DATETIME",
    "DROPDOWN",
    "LISTBOX",
    "RADIO",
    "CHECKBOX",
    "NUMBER",
    "CURRENCY",
    "HIDDEN",
)
TaskStatus = words("TaskStatus", "Whether a task is done.", "INCOMPLETE", "COMPLETE")
TaskRelationKind = words("TaskRelationKind", "What a task can be about.", "CONTACT")
ActivityKind = words(
    "ActivityKind",
    "What happened to a contact.",
    "CONTACT_CREATED",
    "CONTACT_UPDATED",
    "FIELD_CHANGED",
    "LIFECYCLE_CHANGED",
    "TAG_ADDED",
    "TAG_REMOVED",
    "LIST_SUBSCRIBED",
    "LIST_UNSUBSCRIBED",
    "LIST_STATUS_CHANGED",
    "LIST_LEFT",
    "SEGMENT_ENTERED",
    "SEGMENT_LEFT",
    "NOTE_ADDED",
    "NOTE_UPDATED",
    "NOTE_DELETED",
    "TASK_CREATED",
    "TASK_UPDATED",
    "TASK_COMPLETED",
    "TASK_DELETED",
    "TASK_ALERT",
    "AUTOMATION_ENTERED",
    "AUTOMATION_ENDED",
    "GOAL_REACHED",
    "DATE_REACHED",
    "FORM_SUBMITTED",
    "MARKETING_GRANTED",
    "MARKETING_REVOKED",
    "PURCHASE",
    "ORDER_CHANGED",
    "DONATION",
    "DONATION_CHANGED",
    "MEMBERSHIP_STARTED",
    "MEMBERSHIP_CHANGED",
    "MEMBERSHIP_ENDED",
    "EMAIL_SENT",
    "EMAIL_OPENED",
    "EMAIL_CLICKED",
    "EMAIL_REPLIED",
    "EMAIL_FORWARDED",
    "EMAIL_BOUNCED",
    "EMAIL_COMPLAINED",
    "ENGAGEMENT_LEVEL_CHANGED",
    "REVIEW",
    "REVIEW_CHANGED",
    "ACCOUNT_CREATED",
    "ACCOUNT_DELETED",
    "CONTACT_MERGED",
    "CONTACT_UNMERGED",
    "SCORE_CHANGED",
    "PAGE_VISITED",
    "EVENT_RECORDED",
    "SMS_SENT",
)
WebhookKind = words(
    "WebhookKind",
    "What webhooks can hear of: all that happens to contacts, and that one was deleted, with nothing but its id.",
    *ActivityKind.__members__,
    "CONTACT_DELETED",
)
WebhookPause = words(
    "WebhookPause",
    "Why a webhook is paused: somebody did it, nothing has arrived there for three days, or it said 410 Gone.",
    "MANUAL",
    "FAILING",
    "GONE",
)
NotificationKind = words(
    "NotificationKind",
    "What a user is told: somebody gave it a task, the reminder of one, a form that notifies it was sent, a webhook is "
    "paused (admins), a job of its own has ended.",
    "TASK_ASSIGNED",
    "TASK_ALERT",
    "FORM_SUBMITTED",
    "WEBHOOK_PAUSED",
    "JOB_FINISHED",
)
ContactRole = words(
    "ContactRole",
    "What a contact is to us, all at once; derived from what it did.",
    "CUSTOMER",
    "SUBSCRIBER",
    "MEMBER",
    "DONOR",
    "FORM_SUBMITTER",
)
OrderStatus = words(
    "OrderStatus", "What became of an order; only COMPLETE ones count.", "COMPLETE", "CANCELLED", "REFUNDED"
)
PlanMembershipStatus = words("PlanMembershipStatus", "Whether a membership goes on.", "ACTIVE", "CANCELLED", "EXPIRED")
EmailEventKind = words(
    "EmailEventKind",
    "What happened to an e-mail; COMPLAINED: it was called spam.",
    "SENT",
    "OPENED",
    "CLICKED",
    "REPLIED",
    "FORWARDED",
    "BOUNCED",
    "COMPLAINED",
)
EmailEventResult = words(
    "EmailEventResult",
    "What became of an event that was told: written down, known already, or refused.",
    "RECORDED",
    "DUPLICATE",
    "REFUSED",
)
EmailOrigin = words(
    "EmailOrigin", "Why an e-mail was sent; only marketing counts.", "CAMPAIGN", "AUTOMATION", "PERSONAL", "OTHER"
)
MergeSide = words("MergeSide", "Whose value is taken when two contacts become one.", "KEPT", "MERGED")
Device = words("Device", "On what somebody looks at pages.", "DESKTOP", "MOBILE", "TABLET")
ScoreMode = words(
    "ScoreMode",
    "Whether the points of a rule stay until they expire, or go when the rule is met no longer.",
    "STICKY",
    "LIVE",
)
ScoreOperation = words("ScoreOperation", "What is done to a score.", "ADD", "SUBTRACT", "SET")
ListKind = words(
    "ListKind",
    "Who is on a list: who agreed to get mail by it, whoever was put on it by hand, or whoever meets its rule.",
    "MAILING",
    "STATIC",
    "SMART",
)
SegmentKind = words(
    "SegmentKind",
    "Who made a segment: always there by engagement, always there by what contacts are to us, or made by a user.",
    "PREBUILT",
    "SMART",
    "USER",
)
JobState = words(
    "JobState",
    "How a job stands: waits, at work, at its end, broken off by a fault that `error` tells, called off.",
    "QUEUED",
    "RUNNING",
    "DONE",
    "FAILED",
    "CANCELLED",
)
ExportKind = words("ExportKind", "What leaves as a file.", "CONTACTS", "LIST", "SEGMENT", "TASKS", "RUNS")
UpsertStatus = words("UpsertStatus", "What came of one of many contacts.", "CREATED", "UPDATED", "UNCHANGED", "REFUSED")
SortDirection = words("SortDirection", "Which end comes first.", "ASC", "DESC")
ContactSortKey = words(
    "ContactSortKey",
    "What contacts are sorted by; FIELD takes the name of a custom field in `fieldName`.",
    "EMAIL",
    "PHONE",
    "FIRST_NAME",
    "LAST_NAME",
    "FULL_NAME",
    "JOB_TITLE",
    "COMPANY",
    "LIFECYCLE_STAGE",
    "CREATED_AT",
    "UPDATED_AT",
    "FIELD",
)
ContactColumn = words(
    "ContactColumn",
    "What a view shows of contacts; FIELD takes the name of a custom field in `fieldName`.",
    *("FULL_NAME", "FIRST_NAME", "LAST_NAME", "EMAIL", "PHONE", "KIND", "JOB_TITLE", "COMPANY", "TIMEZONE"),
    *("LIFECYCLE_STAGE", "ENGAGEMENT_LEVEL", "PREVIOUS_ENGAGEMENT_LEVEL", "ACCEPTS_MARKETING", "ROLES", "ORIGIN"),
    *("TAGS", "MEMBERSHIPS", "AUTOMATIONS", "TASKS", "SCORES", "PLANS", "HAS_ACCOUNT"),
    *("TOTAL_SPENT", "ORDER_COUNT", "FIRST_ORDER_AT", "LAST_ORDER_AT"),
    *("TOTAL_GIVEN", "GIFT_COUNT", "FIRST_GIFT_AT", "LAST_GIFT_AT"),
    *("CREATED_AT", "UPDATED_AT", "FIELD"),
)
AutomationStatus = words("AutomationStatus", "Whether an automation works.", "INACTIVE", "ACTIVE", "ARCHIVED")
EntryPolicy = words(
    "EntryPolicy", "How often a contact may enter: always, once ever, not while inside.", "ANY", "ONCE", "AFTER_EXIT"
)
TriggerRuns = words("TriggerRuns", "How often a contact enters by one trigger.", "ONCE", "MULTIPLE")
StepChange = words("StepChange", "What a new version does to a step.", "CHANGED", "REMOVED")
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
EntryRefusal = words(
    "EntryRefusal",
    "Why an automation did not let a contact in.",
    "AUTOMATION_NOT_ACTIVE",
    "ENTRY_NOT_ALLOWED",
    "TRIGGER_ONCE",
    "TRIGGER_CAP",
)
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
VisitStatus = words("VisitStatus", "How a run fared at a step.", "IN_PROGRESS", "COMPLETED", "SKIPPED", "FAILED")
AuditOutcome = words(
    "AuditOutcome",
    "What became of an operation: done, refused as it was asked, not allowed to this role, or broken off by a fault.",
    "DONE",
    "REFUSED",
    "FORBIDDEN",
    "FAILED",
)
ErrorCode = words(
    "ErrorCode",
    "Why an operation was refused.",
    # identity
    "IDENTIFIER_REQUIRED",
    "EMAIL_TAKEN",
    "EMAIL_INVALID",
    "PHONE_TAKEN",
    "PHONE_INVALID",
    "NAME_TAKEN",
    "EXTERNAL_ID_TAKEN",
    # values
    "REQUIRED",
    "WRONG_TYPE",
    "INVALID_VALUE",
    "INVALID_OPTION",
    "OUT_OF_RANGE",
    "TOO_LONG",
    "TOO_SHORT",
    "DUPLICATE",
    "UNKNOWN_FIELD",
    "NUL_CHARACTER",
    "INVALID_CHARACTER",
    # things and states
    "NOT_FOUND",
    "IN_USE",
    "FORM_NOT_ACTIVE",
    "ALREADY_CONFIRMED",
    "LINK_EXPIRED",
    "IDEMPOTENCY_MISMATCH",
    "JOB_ENDED",
    "FILE_INVALID",
    "UNKNOWN_COLUMN",
    "UNDO_EXPIRED",
    "IMPORT_UNDONE",
    "NOT_EXPORTABLE",
    "PERMISSION_NOT_ASSERTED",
    "CONFIRMATION_REQUIRED",
    "OPERATION_NOT_ALLOWED",
    "FORBIDDEN",
    "LAST_OWNER",
    "USER_DEACTIVATED",
    "LIST_IS_SMART",
    "LIST_CYCLE",
    "PREVIOUSLY_UNSUBSCRIBED",
    "NOT_REACTIVATED",
    "ACTIVE_SUBSCRIPTION",
    "EMAIL_IMMUTABLE",
    "PHONE_ONLY_DISABLED",
    "LIFECYCLE_BACKWARD",
    "OPTION_IN_USE",
    "MERGE_UNDONE",
    "MERGE_EXPIRED",
    # limits of the account
    "CONTACT_LIMIT",
    "FIELD_LIMIT",
    "TAG_LIMIT",
    "LIST_LIMIT",
    "SEGMENT_LIMIT",
    "SCORE_LIMIT",
    "SITE_LIMIT",
    "WEBHOOK_LIMIT",
    "RATE_LIMITED",
    # rules about contacts
    "EMPTY_SEGMENT",
    "OPERATOR_NOT_ALLOWED",
    "TOO_DEEP",
    "TOO_MANY_CONDITIONS",
    "CONDITION_NOT_ALLOWED",
    "SEGMENT_CYCLE",
    "SEGMENT_READ_ONLY",
    "SCORE_CYCLE",
    # messages
    "TEMPLATE_INVALID",
    "ADDRESS_NOT_PUBLIC",
    "NOT_RESENDABLE",
    "CAMPAIGN_STATUS",
    "NO_EMAIL",
    "EXCLUDED",
    # other databases
    "QUERY_INVALID",
    "HOST_NOT_ALLOWED",
    "DRIVER_MISSING",
    "SECRET_UNREADABLE",
    "SOURCE_UNREACHABLE",
    "SOURCE_DENIED",
    "SOURCE_FAILED",
    # automations
    "NO_STEPS",
    "TOO_MANY_STEPS",
    "DUPLICATE_STEP",
    "UNKNOWN_STEP",
    "UNREACHABLE_STEP",
    "LOOP_WITHOUT_WAIT",
    "WRONG_BRANCH",
    "MISSING_BRANCH",
    "ARCHIVED",
    "SPLIT_IN_PROGRESS",
    "NO_DRAFT",
    "RUN_ENDED",
    "NOT_WAITING",
    "AUTOMATION_NOT_ACTIVE",
    "ENTRY_NOT_ALLOWED",
)
