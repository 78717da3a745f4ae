-- Jobs: long work on sets of contacts, with progress; and the files that come in and go out with them.

CREATE TABLE job (                                           -- long work that somebody asked for                           jb
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,                               -- the card: bulk_edit, export …
    parameters  jsonb NOT NULL DEFAULT '{}',                 -- what the card was asked to do
    mark        jsonb NOT NULL DEFAULT '{}',                 -- how far the card has come; committed with what it did
    state       text NOT NULL DEFAULT 'QUEUED' CHECK (state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
    total       bigint,                                      -- NULL: not known yet
    done        bigint NOT NULL DEFAULT 0,                   -- these three add up to what is behind it
    unchanged   bigint NOT NULL DEFAULT 0,
    refused     bigint NOT NULL DEFAULT 0,
    attempt     integer NOT NULL DEFAULT 0,                  -- failed tries of the piece it stands at
    error       text,                                        -- in words, when it FAILED
    actor       text NOT NULL,                               -- who asked, as in event.actor
    user_id     bigint REFERENCES user_account ON DELETE SET NULL,
    created_at  timestamptz NOT NULL,
    started_at  timestamptz,
    updated_at  timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX job_of_user ON job (user_id, id);
CREATE INDEX job_by_kind ON job (kind, id);

CREATE TABLE job_lease (                                     -- of jobs that are not at their end; whoever holds the row lock works  jl
    job_id bigint PRIMARY KEY REFERENCES job ON DELETE CASCADE,
    due_at timestamptz NOT NULL                              -- the one that has waited longest goes first
);

CREATE TABLE job_piece (                                     -- what is still before a job: its set, fixed when it began     jw
    job_id bigint NOT NULL REFERENCES job ON DELETE CASCADE,
    number bigint NOT NULL,
    ids    bigint[] NOT NULL,
    PRIMARY KEY (job_id, number)
);
ALTER TABLE job_piece ALTER COLUMN ids SET STORAGE EXTERNAL;

CREATE TABLE job_result (                                    -- contacts to whom it was not done, and why                    jr
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id     bigint NOT NULL REFERENCES job ON DELETE CASCADE,
    contact_id bigint REFERENCES contact ON DELETE CASCADE,
    unknown_id bigint,                                       -- the number that was given, where no contact has it
    action     text NOT NULL,                                -- the input it is about: addTags
    code       text NOT NULL
);
CREATE INDEX job_result_of_job ON job_result (job_id, id);
CREATE INDEX job_result_of_contact ON job_result (contact_id) WHERE contact_id IS NOT NULL;

-- Whoever watches a job hears of it at the commit that moved it.
CREATE FUNCTION notify_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('job_changed', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER job_notifies AFTER INSERT OR UPDATE ON job FOR EACH ROW EXECUTE FUNCTION notify_job();

------------------------------------------------------------------------------------------------------------------ files

CREATE TABLE stored_file (                                   -- uploaded, or made for download                              fl
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id     bigint REFERENCES job ON DELETE CASCADE,      -- that made it; NULL: somebody uploaded it
    user_id    bigint REFERENCES user_account ON DELETE SET NULL,        -- whose it is
    name       text NOT NULL,
    media_type text NOT NULL DEFAULT 'text/csv',
    size       bigint NOT NULL DEFAULT 0,                    -- bytes
    chunks     bigint NOT NULL DEFAULT 0,
    complete   boolean NOT NULL DEFAULT FALSE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX stored_file_of_job ON stored_file (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX stored_file_expires ON stored_file (expires_at);

CREATE TABLE stored_chunk (                                  -- in the database, so that any web process can serve it       fc
    file_id bigint NOT NULL REFERENCES stored_file ON DELETE CASCADE,
    number  bigint NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (file_id, number)
);
ALTER TABLE stored_chunk ALTER COLUMN content SET STORAGE EXTERNAL;

-- A link to a file is worth something for a short while, and nobody else can make one up: HMAC with the account's secret.
CREATE FUNCTION file_signature(file_id bigint, until bigint) RETURNS text LANGUAGE sql STABLE
    RETURN (
        SELECT encode(sha256(account.secret_outer || sha256(account.secret_inner || convert_to('file:' || $1 || ':' || $2, 'UTF8'))), 'hex')
        FROM account
    );

-- A cell that no spreadsheet runs as a formula; the same as kit/formulas.py.
CREATE FUNCTION formula_safe(cell text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN ascii($1) NOT IN (9, 13, 39, 43, 45, 61, 64, 65291, 65293, 65309, 65312) THEN $1
        WHEN $1 ~ U&'^''*[=+@\0009\000D\FF1D\FF0B\FF0D\FF20-]' THEN '''' || $1
        ELSE $1
    END;

---------------------------------------------------------------------------------------------------------------- imports

ALTER TABLE import_job
    ADD COLUMN job_id      bigint UNIQUE REFERENCES job ON DELETE SET NULL,      -- NULL: by the command line
    ADD COLUMN user_id     bigint REFERENCES user_account ON DELETE SET NULL,
    ADD COLUMN events_from bigint,                           -- all facts of the import have ids after this one …
    ADD COLUMN events_to   bigint,                           -- … up to this one
    ADD COLUMN undo_id     bigint REFERENCES job ON DELETE SET NULL,
    ADD COLUMN undone_at   timestamptz;

CREATE TABLE idempotent_answer (                             -- what was answered to a key, so that a repeated call does nothing   ia
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor     text NOT NULL,
    key       text NOT NULL,
    operation text NOT NULL,
    input     bytea NOT NULL,                                -- SHA-256
    answer    jsonb NOT NULL,
    at        timestamptz NOT NULL,
    UNIQUE (actor, operation, key)
);
CREATE INDEX idempotent_answer_by_age ON idempotent_answer (at);
