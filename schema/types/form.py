"""A form of a website, and what was sent with it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from kit.sql import Sql
from schema.enums.website import SubmissionOutcome
from schema.kinds import FormActionKind
from schema.node import Connection, Node, global_id
from schema.projection.made import column, connected, many, one, table
from schema.scalars import JSON

if TYPE_CHECKING:
    from schema.types.contact import Contact

_FIELDS = "jsonb_array_elements(fo.asks) WITH ORDINALITY AS ask (body, position) WHERE TRUE"
_ACTIONS = "jsonb_array_elements(fo.actions) WITH ORDINALITY AS act (body, position) WHERE TRUE"
_KIND = r"(SELECT upper(regexp_replace(word, '([A-Z])', '_\1', 'g')) FROM jsonb_object_keys(act.body) AS word)"
# Of a custom field the form may have its own label; of one that was deleted there is nothing else.
_LABEL = """coalesce(
    ask.body ->> 'label', (SELECT f.label FROM field f WHERE f.name = ask.body ->> 'name'), ask.body ->> 'name'
)"""


def with_outcome(outcome: str) -> Sql:
    return Sql("fs.outcome = {outcome}::text", outcome=outcome)


@strawberry.type(description="Something that a form asks for.")
@table("", "ask")
class FormField:
    name: str = column("ask.body ->> 'name'", "A built-in attribute such as firstName, or a custom field.")
    label: str = column(_LABEL)
    required: bool = column("(ask.body -> 'required')::boolean")


@strawberry.type(description="What a form does with whoever sends it.")
@table("", "act")
class FormAction:
    kind: FormActionKind = column(_KIND)
    do: JSON = column("act.body", "As it was given: {addTag: {tag}}; can be given back unchanged.")


@strawberry.type(description="What somebody sent with a form, as it came.")
@table("form_submission", "fs", "submission")
class FormSubmission(Node):
    id: strawberry.ID = global_id("submission", "fs")
    form: Annotated[Form, strawberry.lazy("schema.types.form")] = one("form fo WHERE fo.id = fs.form_id")
    form_version: int = column("fs.form_version")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] | None = one(
        "contact c WHERE c.id = fs.contact_id", "Whom it made or changed."
    )
    answers: JSON = column("fs.answers", "Raw: nothing is tidied or corrected.")
    outcome: SubmissionOutcome = column("fs.outcome")
    marketing: bool | None = column("fs.marketing", "Whether the box was ticked; null where the form had none.")
    consent_wording: str | None = column("fs.wording", "What stood beside the box.")
    page_name: str | None = column("fs.page_name")
    page_url: str | None = column("fs.page_url")
    at: datetime = column("fs.at")
    confirmed_at: datetime | None = column("fs.confirmed_at", "When the link of the double opt-in was followed.")


@strawberry.type(description="A form that somebody sent, as a step of becoming a customer.")
@table("form_submission", "fs")
class Conversion:
    form: Annotated[Form, strawberry.lazy("schema.types.form")] = one("form fo WHERE fo.id = fs.form_id")
    page: str | None = column("fs.page_name", "The name of the page that the form stood on.")
    page_url: str | None = column("fs.page_url")
    at: datetime = column("fs.at")


FIRST_CONVERSION = Sql(
    """
    form_submission fs
    WHERE fs.contact_id = c.id
      AND fs.outcome IN ('CREATED', 'UPDATED')
    ORDER BY fs.at, fs.id
    LIMIT 1
    """
)
RECENT_CONVERSION = Sql(
    """
    form_submission fs
    WHERE fs.contact_id = c.id
      AND fs.outcome IN ('CREATED', 'UPDATED')
    ORDER BY fs.at DESC, fs.id DESC
    LIMIT 1
    """
)


@strawberry.type(description="What a website asks strangers for. They send it to POST /forms/{id}.")
@table("form", "fo", "form")
class Form(Node):
    id: strawberry.ID = global_id("form", "fo")
    name: str = column("fo.name")
    version: int = column("fo.version", "Counts its edits.")
    active: bool = column("fo.active", "Whether it takes anything at present.")
    fields: list[FormField] = many(_FIELDS, order="ask.position")
    double_opt_in: bool = column("fo.double_opt_in", "Whether people confirm by a link before they are subscribed.")
    marketing_box: bool = column("fo.marketing_box", "Whether it has a box to tick for marketing.")
    consent_wording: str | None = column("fo.consent_wording", "What stands beside the box.")
    actions: list[FormAction] = many(_ACTIONS, order="act.position")
    allowed_origins: list[str] = column(
        "to_json(fo.allowed_origins)", "Websites whose pages may send it; none: every website."
    )
    redirect_url: str | None = column("fo.redirect_url", "Where a browser goes that sent it.")
    submission_count: int = column(
        "(SELECT count(*) FROM form_submission fs WHERE fs.form_id = fo.id AND fs.outcome IN ('CREATED', 'UPDATED'))",
        "Those that were taken in.",
    )
    contact_count: int = column(
        "(SELECT count(DISTINCT fs.contact_id) FROM form_submission fs WHERE fs.form_id = fo.id)",
        "Contacts who sent it.",
    )
    created_at: datetime = column("fo.created_at")
    updated_at: datetime = column("fo.updated_at")

    @connected("fs.form_id = fo.id", alias="fs", newest_first=True, filters={"outcome": with_outcome})
    def submissions(
        self,
        outcome: SubmissionOutcome | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[FormSubmission]: ...
