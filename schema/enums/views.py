"""What is shown of contacts and in which order, in fixed words."""

from __future__ import annotations

from schema.enums.words import words

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
