"""Every reason a path can show, as a sentence."""

from __future__ import annotations

from kit import db
from kit.sql import Sql

VISIT = {
    "AUTOMATION_ARCHIVED": "The automation was archived.",
    "AUTOMATION_NOT_ACTIVE": "The automation was not active.",
    "BOUNCED": "Mail to this contact comes back.",
    "CHAIN_TOO_DEEP": "More than 20 automations started each other.",
    "CONTACT_DELETED": "The contact was deleted.",
    "DUPLICATE": "This visit has sent it already.",
    "EMAIL_IMMUTABLE": "In this account an address stays as it is.",
    "EMAIL_TAKEN": "Another contact has this e-mail address.",
    "ENDED_BY_AUTOMATION": "An automation ended this one for the contact.",
    "ENDED_MANUALLY": "Somebody ended the automation for the contact.",
    "ENTRY_NOT_ALLOWED": "The other automation does not let the contact in again.",
    "EXCLUDED": "No e-mail goes to this address.",
    "GOAL_JUMP": "The contact met a goal and came there at once.",
    "GOAL_NOT_MET": "The contact came to the goal without having met it.",
    "GOAL_PASSED": "The contact had come by this goal before.",
    "IDENTIFIER_REQUIRED": "The contact would have had neither e-mail address nor phone number.",
    "INVALID_VALUE": "The contact cannot have this value.",
    "LIFECYCLE_BACKWARD": "The contact has come further than this stage already.",
    "LOOP_GUARD": "The contact made 200 steps without a wait.",
    "MANUAL_SKIP": "Somebody let the contact go on without waiting.",
    "MISSING_REFERENCE": "What this step is about does not exist any more.",
    "NOT_FOUND": "The contact does not exist any more.",
    "NO_ACTIVE_LIST": "The contact is on no list by which this could go.",
    "NO_EMAIL": "The contact has no e-mail address.",
    "NO_PHONE": "The contact has no phone number.",
    "OPERATION_NOT_ALLOWED": "The field cannot be changed this way.",
    "OUT_OF_RANGE": "The number would have become too large.",
    "PHONE_ONLY_DISABLED": "The contact would have had a telephone alone, which this account does not want.",
    "PHONE_TAKEN": "Another contact has this phone number.",
    "LIST_IS_SMART": "Who is on this list follows its rule.",
    "PREVIOUSLY_UNSUBSCRIBED": "The contact had unsubscribed from this list, or from all it was on.",
    "REQUIRED": "A value was missing.",
    "STEP_DELETED": "The step was taken out of the automation while the contact rested on it.",
    "STEP_ERROR": "The step failed three times.",
    "STEP_MOVED": "The contact was moved to another step when the automation was changed.",
    "STEP_UNREADABLE": "This release cannot read the step; the contact waits until it is drawn anew or skipped.",
    "TAG_LIMIT": "The account has as many tags as it may.",
    "TARGET_INACTIVE": "The other automation was not active.",
    "UNCONFIRMED": "The contact has not confirmed its subscription yet.",
    "UNSUBSCRIBED": "The contact has unsubscribed.",
    "WRONG_TYPE": "The field does not take such a value.",
}

OTHER = "The step could not be done for this contact."


def text(reason: str | None) -> str | None:
    """The sentence for a reason's code."""
    return None if reason is None else VISIT.get(reason, OTHER)


def text_sql(reason: Sql) -> Sql:
    """The sentence as an SQL expression over an expression for the code; NULL for no reason."""
    return Sql(
        """
        CASE WHEN {reason} IS NOT NULL THEN coalesce(({sentences}::jsonb) ->> {reason}, {other}::text) END
        """,
        reason=reason,
        sentences=db.jsonb(VISIT),
        other=OTHER,
    )


# ------------------------------------------------------------------------------------------------------ entries refused

ENTRY = {
    "AUTOMATION_NOT_ACTIVE": "The automation was not active at that moment.",
    "ENTRY_NOT_ALLOWED": "The automation's entry policy did not let the contact in again.",
    "TRIGGER_CAP": "The trigger lets a contact in ten times in 24 hours at most.",
    "TRIGGER_ONCE": "The trigger lets each contact in once.",
}

ENTRY_TEXT = Sql("(({sentences}::jsonb) ->> rf.reason)", sentences=db.jsonb(ENTRY))

# Over `rf`, with what stood in the way as it is known now.
REFUSED_TEXT = Sql(
    """(
        SELECT concat_ws(
            ' ',
            rf.entry_label || ', and would have entered ' || a.name || '.',
            {sentence},
            CASE rf.reason
                WHEN 'ENTRY_NOT_ALLOWED' THEN
                    'The policy is ' || a.entry_policy || '.'
            END,
            CASE
                WHEN rf.run_id IS NOT NULL AND rf.reason <> 'AUTOMATION_NOT_ACTIVE' THEN
                    (
                        SELECT format(
                            'It had entered %s %s before, the last time on %s%s.',
                            r.entry_number,
                            CASE r.entry_number WHEN 1 THEN 'time' ELSE 'times' END,
                            to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
                            CASE
                                WHEN r.ended_at IS NULL OR r.ended_at > rf.at THEN ', and was still inside'
                                ELSE ', and had left'
                            END
                        )
                        FROM run r
                        WHERE r.id = rf.run_id
                    )
            END
        )
        FROM automation a
        WHERE a.id = rf.automation_id
    )""",
    sentence=ENTRY_TEXT,
)
