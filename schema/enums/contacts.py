"""What a contact is and how it came to be one, in fixed words."""

from __future__ import annotations

from schema.enums.words import words

ContactKind = words(
    "ContactKind", "By which identifiers a contact is known.", "EMAIL_ONLY", "PHONE_ONLY", "EMAIL_AND_PHONE"
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
Origin = words("Origin", "How a contact came to be known.", "FORM", "IMPORT", "MANUAL", "API", "CHECKOUT", "SYNC")
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
MergeSide = words("MergeSide", "Whose value is taken when two contacts become one.", "KEPT", "MERGED")
ScoreMode = words(
    "ScoreMode",
    "Whether the points of a rule stay until they expire, or go when the rule is met no longer.",
    "STICKY",
    "LIVE",
)
ScoreOperation = words("ScoreOperation", "What is done to a score.", "ADD", "SUBTRACT", "SET")
UpsertStatus = words("UpsertStatus", "What came of one of many contacts.", "CREATED", "UPDATED", "UNCHANGED", "REFUSED")
