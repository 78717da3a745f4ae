"""What a fact about a contact says in words, and what kind of thing it is about."""

from __future__ import annotations

from dataclasses import dataclass

from kit.sql import Sql, join, text


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence over `e` (event), and the word of the global id behind e.subject; None: about nothing else."""

    sentence: Sql
    about: str | None = None


def _named(words: str, entry: str, about: str | None = None) -> Said:
    """`Words: what data has under this entry`, or the words alone."""
    return Said(Sql("concat_ws(': ', {words}, e.data ->> {entry})", words=text(words), entry=text(entry)), about)


def _plain(words: str, about: str | None = None) -> Said:
    return Said(text(words), about)


_CHANGED = Sql(
    "format('Changed %s: %s → %s', e.data ->> 'name', coalesce(e.data ->> 'from', '–'), coalesce(e.data ->> 'to', '–'))"
)
_LIST = Sql(
    "format('%s: %s → %s', e.data ->> 'list', coalesce(e.data ->> 'from', '–'), coalesce(e.data ->> 'to', '–'))"
)
_SCORE = Sql("format('%s: %s → %s (%s)', e.data ->> 'score', e.data ->> 'from', e.data ->> 'to', e.data ->> 'why')")
_GOAL = Sql(
    """concat(
        CASE e.data ->> 'result' WHEN 'ACHIEVED' THEN 'Reached the goal ' ELSE 'Passed without the goal ' END,
        e.data ->> 'goal', ': ', e.data ->> 'automation'
    )"""
)
_MAIL = Sql(
    """concat_ws(
        ': ',
        CASE e.data ->> 'origin' WHEN 'PERSONAL' THEN 'Was sent a personal e-mail' ELSE 'Was sent an e-mail' END,
        e.data ->> 'campaign'
    )"""
)
_BOUGHT = "concat_ws(' ', {words}, e.data ->> {amount}, e.data ->> 'currency')"


def _level(entry: str) -> Sql:
    return Sql("replace(lower(e.data ->> {entry}), '_', ' ')", entry=text(entry))


SENTENCES = {
    "CONTACT_CREATED": _plain("Became a contact"),
    "CONTACT_MERGED": _plain("Merged with another contact", "merge"),
    "CONTACT_UNMERGED": _plain("A merge was taken back", "merge"),
    "FIELD_CHANGED": Said(_CHANGED, "field"),
    "LIFECYCLE_CHANGED": Said(_CHANGED),
    "TAG_ADDED": _named("Was given the tag", "tag", "tag"),
    "TAG_REMOVED": _named("Lost the tag", "tag", "tag"),
    "LIST_SUBSCRIBED": _named("Subscribed to", "list", "list"),
    "LIST_UNSUBSCRIBED": _named("Unsubscribed from", "list", "list"),
    "LIST_STATUS_CHANGED": Said(_LIST, "list"),
    "LIST_LEFT": _named("Left by its rule", "list", "list"),
    "SEGMENT_ENTERED": _named("Came into", "segment", "segment"),
    "SEGMENT_LEFT": _named("Left", "segment", "segment"),
    "NOTE_ADDED": _plain("Note written", "note"),
    "NOTE_UPDATED": _plain("Note rewritten", "note"),
    "NOTE_DELETED": _plain("Note deleted", "note"),
    "TASK_CREATED": _named("Task created", "title", "task"),
    "TASK_UPDATED": _named("Task changed", "title", "task"),
    "TASK_COMPLETED": _named("Task completed", "title", "task"),
    "TASK_DELETED": _named("Task deleted", "title", "task"),
    "TASK_ALERT": _named("Reminder of the task", "title", "task"),
    "AUTOMATION_ENTERED": _named("Entered", "automation", "automation"),
    "AUTOMATION_ENDED": _named("Left", "automation", "automation"),
    "DATE_REACHED": Said(Sql("concat_ws(' ', e.data ->> 'when', e.data ->> 'field', e.data ->> 'date')")),
    "GOAL_REACHED": Said(_GOAL, "automation"),
    "FORM_SUBMITTED": _named("Submitted the form", "form", "form"),
    "MARKETING_GRANTED": _plain("Agreed to marketing"),
    "MARKETING_REVOKED": _plain("Wants no marketing any more"),
    "PURCHASE": Said(Sql(_BOUGHT, words=text("Bought for"), amount=text("total")), "order"),
    "DONATION": Said(Sql(_BOUGHT, words=text("Gave"), amount=text("amount")), "donation"),
    "ORDER_CHANGED": _named("Order changed", "number", "order"),
    "DONATION_CHANGED": _plain("A gift changed", "donation"),
    "MEMBERSHIP_STARTED": _named("Became a member", "plan", "planmembership"),
    "MEMBERSHIP_CHANGED": _named("Membership changed", "plan", "planmembership"),
    "MEMBERSHIP_ENDED": _named("Is a member no more", "plan", "planmembership"),
    "EMAIL_SENT": Said(_MAIL, "campaign"),
    "EMAIL_OPENED": _named("Opened an e-mail", "campaign", "campaign"),
    "EMAIL_CLICKED": Said(
        Sql("concat_ws(': ', 'Clicked in an e-mail', e.data ->> 'campaign', e.data ->> 'link')"), "campaign"
    ),
    "EMAIL_REPLIED": _named("Replied to an e-mail", "campaign", "campaign"),
    "EMAIL_FORWARDED": _named("Forwarded an e-mail", "campaign", "campaign"),
    "EMAIL_BOUNCED": Said(
        Sql(
            """concat_ws(
                ': ',
                CASE WHEN e.data ->> 'soft' = 'true' THEN 'An e-mail did not arrive' ELSE 'An e-mail came back' END,
                e.data ->> 'campaign'
            )"""
        ),
        "campaign",
    ),
    "EMAIL_COMPLAINED": _named("Called an e-mail spam", "campaign", "campaign"),
    "ENGAGEMENT_LEVEL_CHANGED": Said(
        Sql("format('Engagement: %s → %s', {was}, {is_})", was=_level("from"), is_=_level("to"))
    ),
    "REVIEW": _named("Reviewed", "product", "review"),
    "REVIEW_CHANGED": _named("Review changed", "product", "review"),
    "ACCOUNT_CREATED": _plain("Opened a customer account", "customeraccount"),
    "ACCOUNT_DELETED": _plain("Customer account deleted", "customeraccount"),
    "SMS_SENT": _plain("Was sent a text message", "delivery"),
    "SCORE_CHANGED": Said(_SCORE, "score"),
    "PAGE_VISITED": _named("Visited", "url"),
    "EVENT_RECORDED": _named("Did", "name"),
}

# A kind without a sentence of its own: its name in lower case.
TEXT = Sql(
    "(CASE e.kind {cases} ELSE replace(lower(e.kind), '_', ' ') END)",
    cases=join(
        " ",
        (
            Sql("WHEN {kind} THEN {sentence}", kind=text(kind), sentence=said.sentence)
            for kind, said in SENTENCES.items()
        ),
    ),
)
SUBJECT_ID = Sql(
    "(CASE e.kind {cases} END || '_' || e.subject)",
    cases=join(
        " ",
        (
            Sql("WHEN {kind} THEN {about}", kind=text(kind), about=text(said.about))
            for kind, said in SENTENCES.items()
            if said.about is not None
        ),
    ),
)
