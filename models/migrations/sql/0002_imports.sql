-- Imports: how far each has come, so that a killed one goes on where it stopped, and what it could not take.

CREATE TABLE import_job (                                    -- one file, once from its first row to its last          j
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL,                           -- of the file
    fingerprint     bytea NOT NULL,                          -- SHA-256 of what is read and how: the same again is the same import
    targets         jsonb NOT NULL,                          -- [["Email", "email"], …]: what each column becomes
    rows_total      bigint NOT NULL,
    rows_done       bigint NOT NULL DEFAULT 0,               -- the mark: all that these rows brought is committed with it
    created         bigint NOT NULL DEFAULT 0,               -- the sum of these five is rows_done
    updated         bigint NOT NULL DEFAULT 0,
    unchanged       bigint NOT NULL DEFAULT 0,
    duplicates      bigint NOT NULL DEFAULT 0,
    refused         bigint NOT NULL DEFAULT 0,
    warned          bigint NOT NULL DEFAULT 0,               -- rows taken without one of their values
    not_reactivated bigint NOT NULL DEFAULT 0,               -- memberships left as they were: unsubscribed or bounced
    started_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    finished_at     timestamptz
);
CREATE UNIQUE INDEX import_job_unfinished_key ON import_job (fingerprint) WHERE finished_at IS NULL;
CREATE INDEX import_job_fingerprint_idx ON import_job (fingerprint, finished_at);

CREATE TABLE import_problem (                                -- no value of the file is kept here                      jp
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id      bigint NOT NULL REFERENCES import_job ON DELETE CASCADE,
    line        bigint NOT NULL,                             -- where the row begins in the file; the first line is 1
    severity    text NOT NULL CHECK (severity IN ('REFUSED', 'WARNING')),
    column_name text,
    code        text NOT NULL,
    message     text NOT NULL
);
CREATE INDEX import_problem_of_job ON import_problem (job_id, line, id);
