-- Sources that contacts and orders are kept in step with.

CREATE TABLE sync_source (                                   -- a table or a query of another database, and what becomes of it   sy
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name              text NOT NULL,
    kind              text NOT NULL CHECK (kind IN ('POSTGRES', 'MYSQL', 'MSSQL')),
    host              text NOT NULL,
    port              integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    database_name     text NOT NULL,
    username          text NOT NULL,
    password          bytea,                                 -- sealed by kit/vault.py; NULL: there is none
    tls               text NOT NULL DEFAULT 'PREFER' CHECK (tls IN ('OFF', 'PREFER', 'REQUIRE', 'VERIFY')),
    brings            text NOT NULL CHECK (brings IN ('CONTACTS', 'ORDERS')),
    table_name        text,
    query             text,
    mapping           jsonb NOT NULL,                        -- [["Email", "email"], …]: what each column becomes
    external_source   text NOT NULL DEFAULT '',              -- the system whose ids these are, as in shop_order
    list_id           bigint REFERENCES contact_list ON DELETE SET NULL,
    tags              text[] NOT NULL DEFAULT '{}',
    update_existing   boolean NOT NULL DEFAULT TRUE,
    accepts_marketing boolean NOT NULL DEFAULT FALSE,
    region_column     text,
    cursor_column     text,                                  -- by which changed rows are found; NULL: all are read each time
    overlap           integer NOT NULL DEFAULT 60 CHECK (overlap >= 0),      -- seconds, or units of a number, read once more
    mark              jsonb,                                 -- how far the source was taken in; services/cursor_mark.py
    next_mark         jsonb,                                 -- the mark once the run that is on its way has ended well
    schedule          text,                                  -- cron, five fields; NULL: only when somebody asks
    timezone          text NOT NULL,                         -- of the schedule, and of instants without an offset
    next_run_at       timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT sync_source_reads CHECK (num_nonnulls(table_name, query) = 1)
);
CREATE UNIQUE INDEX sync_source_name_key ON sync_source (lower(name));
CREATE INDEX sync_source_due ON sync_source (next_run_at) WHERE next_run_at IS NOT NULL;
CREATE INDEX sync_source_of_list ON sync_source (list_id) WHERE list_id IS NOT NULL;

-- A run of a source is an import whose rows come from there, one at a time.
ALTER TABLE import_job ADD COLUMN sync_id bigint REFERENCES sync_source ON DELETE CASCADE;
CREATE INDEX import_job_of_sync ON import_job (sync_id, id) WHERE sync_id IS NOT NULL;
CREATE UNIQUE INDEX import_job_of_sync_unfinished_key ON import_job (sync_id) WHERE sync_id IS NOT NULL AND finished_at IS NULL;

CREATE TABLE sync_batch (                                    -- rows that were read and are still to be taken in             sb
    import_id bigint NOT NULL REFERENCES import_job ON DELETE CASCADE,
    number    bigint NOT NULL,
    rows      bytea NOT NULL,                                -- JSON, deflated: a list of lists of texts
    PRIMARY KEY (import_id, number)
);
ALTER TABLE sync_batch ALTER COLUMN rows SET STORAGE EXTERNAL;
