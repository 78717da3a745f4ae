"""How work on many contacts stands, and where it gets them from, in fixed words."""

from __future__ import annotations

from schema.enums.words import words

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
SyncDatabase = words("SyncDatabase", "What another database is; MYSQL is MariaDB, too.", "POSTGRES", "MYSQL", "MSSQL")
SyncContent = words("SyncContent", "What its rows are.", "CONTACTS", "ORDERS")
SyncTls = words(
    "SyncTls", "How a connection is encrypted; VERIFY looks at the certificate.", "OFF", "PREFER", "REQUIRE", "VERIFY"
)
