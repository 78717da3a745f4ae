"""A source of another database, and its runs: what came of the rows that were read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from schema.enums.error_codes import ErrorCode
from schema.enums.jobs import SyncContent, SyncDatabase, SyncTls
from schema.node import Connection, Node, global_id
from schema.projection.made import column, connected, one, table
from schema.scalars import JSON
from schema.types.job import Job
from schema.types.list import List
from schema.types.targets import spelled
from schema.types.user import User
from services.caller import Role


@strawberry.type(description="A row that was refused, or taken without a part of it. It has no value of the row.")
@table("import_problem", "jp", "syncproblem", reader=Role.ADMIN)
class SyncProblem(Node):
    id: strawberry.ID = global_id("syncproblem", "jp")
    row: int = column("jp.line", "Which of the rows that were read, from 1; the file of the job has it whole.")
    refused: bool = column("jp.severity = 'REFUSED'")
    column_name: str | None = column("jp.column_name")
    code: ErrorCode = column("jp.code")
    message: str = column("jp.message")


@strawberry.type(description="One run of a source: the rows that were read, and what came of them.")
@table("import_job", "j", "syncrun", reader=Role.ADMIN)
class SyncRun(Node):
    id: strawberry.ID = global_id("syncrun", "j")
    source: Annotated[SyncSource, strawberry.lazy("schema.types.sync")] = one("sync_source sy WHERE sy.id = j.sync_id")
    job: Job | None = one("job jb WHERE jb.id = j.job_id", "How it goes; its files have the rows that were refused.")
    rows_total: int = column("j.rows_total", "Rows that were read.")
    rows_done: int = column("j.rows_done")
    created: int = column("j.created")
    updated: int = column("j.updated")
    unchanged: int = column("j.unchanged")
    duplicates: int = column("j.duplicates", "Rows about somebody, or an order, that another row was about.")
    refused: int = column("j.refused")
    warned: int = column("j.warned", "Rows taken without one of their values.")
    not_reactivated: int = column("j.not_reactivated", "Memberships left as they were: unsubscribed or bounced.")
    created_by: User | None = one("user_account u WHERE u.id = j.user_id", "Null: its time had come.")
    started_at: datetime = column("j.started_at")
    finished_at: datetime | None = column("j.finished_at")

    @connected("jp.job_id = j.id", alias="jp", description="What was wrong with which rows.")
    def problems(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Connection[SyncProblem]: ...


@strawberry.type(description="A table or a query of another database that contacts or orders are kept in step with.")
@table("sync_source", "sy", "sync", reader=Role.ADMIN)
class SyncSource(Node):
    id: strawberry.ID = global_id("sync", "sy")
    name: str = column("sy.name")
    kind: SyncDatabase = column("sy.kind")
    host: str = column("sy.host")
    port: int = column("sy.port")
    database: str = column("sy.database_name")
    username: str = column("sy.username")
    has_password: bool = column("sy.password IS NOT NULL", "Nobody can read it again.")
    tls: SyncTls = column("sy.tls")
    brings: SyncContent = column("sy.brings")
    table: str | None = column("sy.table_name")
    query: str | None = column("sy.query")
    mapping: JSON = column(spelled("sy.mapping"), "What each column becomes: [[column, target], …].")
    external_source: str = column("sy.external_source", "The system whose ids `externalId` are.")
    list: List | None = one("contact_list l WHERE l.id = sy.list_id")
    tags: JSON = column("to_json(sy.tags)")
    update: bool = column("sy.update_existing", "Whether who, or what, is there already is changed; else skipped.")
    accepts_marketing: bool = column("sy.accepts_marketing")
    phone_region_from: str | None = column("sy.region_column")
    cursor_column: str | None = column("sy.cursor_column", "Null: every run reads everything.")
    overlap: int = column("sy.overlap")
    mark: str | None = column("sy.mark ->> 'value'", "The last value of the cursor column that was taken in.")
    schedule: str | None = column("sy.schedule")
    timezone: str = column("sy.timezone")
    next_run_at: datetime | None = column("sy.next_run_at")
    last_run: SyncRun | None = one(
        "import_job j WHERE j.id = (SELECT max(latest.id) FROM import_job latest WHERE latest.sync_id = sy.id)"
    )
    created_at: datetime = column("sy.created_at")
    updated_at: datetime = column("sy.updated_at")

    @connected("j.sync_id = sy.id", alias="j", newest_first=True, description="Its runs, the newest first.")
    def runs(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Connection[SyncRun]: ...
