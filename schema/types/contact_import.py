"""An import: which file it read, how far it has come, and what came of its rows."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.node import Node, global_id
from schema.projection.made import column, one, table
from schema.scalars import JSON
from schema.types.job import Job
from schema.types.targets import spelled
from schema.types.user import User
from services.caller import Role


@strawberry.type(description="One file, once from its first row to its last.")
@table("import_job", "j", "import", reader=Role.ADMIN)
class Import(Node):
    id: strawberry.ID = global_id("import", "j")
    name: str = column("j.name", "Of the file.")
    mapping: JSON = column(spelled("j.targets"), "What each column becomes: [[column, target], …].")
    job: Job | None = one("job jb WHERE jb.id = j.job_id", "Null for the command line's.")
    undo: Job | None = one("job jb WHERE jb.id = j.undo_id", "By which it was taken back.")
    rows_total: int = column("j.rows_total")
    rows_done: int = column("j.rows_done")
    created: int = column("j.created")
    updated: int = column("j.updated")
    unchanged: int = column("j.unchanged")
    duplicates: int = column("j.duplicates", "Rows about somebody that an earlier row was about.")
    refused: int = column("j.refused", "Rows that are in the file of refused ones (`job { files }`) with the reasons.")
    warned: int = column("j.warned", "Rows taken without one of their values.")
    not_reactivated: int = column("j.not_reactivated", "Memberships left as they were: unsubscribed or bounced.")
    created_by: User | None = one("user_account u WHERE u.id = j.user_id")
    started_at: datetime = column("j.started_at")
    finished_at: datetime | None = column("j.finished_at")
    undone_at: datetime | None = column("j.undone_at")
