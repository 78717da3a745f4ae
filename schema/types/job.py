"""A job: long work that somebody asked for, how far it has come, and the files that it made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from kit import clock, config
from kit.sql import Sql
from schema.enums.error_codes import ErrorCode
from schema.enums.jobs import JobState
from schema.enums.words import words
from schema.node import Connection, Node, global_id
from schema.projection.late import late
from schema.projection.made import column, connected, many, one, table
from schema.scalars import JSON
from schema.types.user import User
from services import stored_files
from services.caller import Role
from workflows import jobs

if TYPE_CHECKING:
    from schema.types.contact import Contact

JobKind = words("JobKind", "What a job does.", *(kind.upper() for kind in jobs.kinds()))


async def _fill(slots: set[str], rows: Iterable[int] | None) -> dict[str, Sql]:
    return {"file_url": stored_files.link(config.settings().base_url(), now=await clock.now())}


@strawberry.type(description="A file that was uploaded or made. It is deleted when it expires.")
@table("stored_file", "fl", "file", reader=Role.ADMIN)
class File(Node):
    id: strawberry.ID = global_id("file", "fl")
    name: str = column("fl.name")
    media_type: str = column("fl.media_type")
    size: float = column("fl.size", "Bytes.")
    complete: bool = column("fl.complete", "Whether all of it is there.")
    url: str | None = column(
        late("file_url", _fill),
        "Where it is downloaded: by anybody who has this address, for a quarter of an hour. Null until it is complete.",
    )
    created_at: datetime = column("fl.created_at")
    expires_at: datetime = column("fl.expires_at")


@strawberry.type(description="A contact to whom a job could not do something.")
@table("job_result", "jr", "refusal", reader=Role.ADMIN)
class JobRefusal(Node):
    id: strawberry.ID = global_id("refusal", "jr")
    contact_id: strawberry.ID = column("'contact_' || coalesce(jr.contact_id, jr.unknown_id)")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] | None = one(
        "contact c WHERE c.id = jr.contact_id"
    )
    action: str = column("jr.action", "The input it is about: addTags.")
    code: ErrorCode = column("jr.code")


@strawberry.type(description="What would come of an import, as far as its rows have been looked at.")
@table("import_preview", "ip", reader=Role.ADMIN)
class ImportPreview:
    rows: int = column("ip.rows", "Of the file.")
    rows_done: int = column("ip.rows_done")
    new: int = column("ip.created", "Contacts that would be made.")
    existing: int = column("ip.existing", "Contacts that are there.")
    unsubscribed: int = column("ip.unsubscribed", "Contacts who have left, or bounced, and would stay so.")
    bad: int = column("ip.bad", "Rows that would be refused.")
    duplicates: int = column("ip.duplicates", "Rows about somebody that an earlier row is about.")
    complete: bool = column("ip.rows_done = ip.rows", "Whether all rows have been looked at.")
    problems: JSON = column("ip.problems", "The first hundred.")


@strawberry.type(description="Long work that somebody asked for. Its maker and admins see it.")
@table("job", "jb", "job", reader=Role.ADMIN)
class Job(Node):
    id: strawberry.ID = global_id("job", "jb")
    kind: JobKind = column("upper(jb.kind)")
    state: JobState = column("jb.state")
    total: int | None = column("jb.total", "How many it is about; null until that is known.")
    done: int = column("jb.done", "To so many something was done.")
    unchanged: int = column("jb.unchanged", "So many were so already.")
    refused: int = column("jb.refused", "To so many it could not be done; `refusals` says why.")
    progress: float = column(
        """
        CASE
            WHEN jb.state = 'DONE' THEN 1
            WHEN jb.total > 0 THEN least(1, round((jb.done + jb.unchanged + jb.refused)::numeric / jb.total, 4))
            ELSE 0
        END
        """,
        "From 0 to 1.",
    )
    error: str | None = column("jb.error", "Why it FAILED, in words.")
    created_by: User | None = one("user_account u WHERE u.id = jb.user_id")
    created_at: datetime = column("jb.created_at")
    started_at: datetime | None = column("jb.started_at")
    updated_at: datetime = column("jb.updated_at", "When it last moved.")
    finished_at: datetime | None = column("jb.finished_at")
    files: list[File] = many(
        "stored_file fl WHERE fl.job_id = jb.id", order="fl.id", description="What it made for download."
    )

    preview: ImportPreview | None = one(
        "import_preview ip WHERE ip.job_id = jb.id", "What a PREVIEW_IMPORT has counted so far; null of other kinds."
    )

    @connected("jr.job_id = jb.id", alias="jr", description="To whom something could not be done.")
    def refusals(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Connection[JobRefusal]: ...
