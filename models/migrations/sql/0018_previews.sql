-- What would come of an import that is too long to be looked through while somebody waits.
CREATE TABLE import_preview (                                --                                                              ip
    job_id       bigint PRIMARY KEY REFERENCES job ON DELETE CASCADE,
    rows         bigint NOT NULL,                            -- of the file
    rows_done    bigint NOT NULL DEFAULT 0,
    created      bigint NOT NULL DEFAULT 0,                  -- contacts that would be
    existing     bigint NOT NULL DEFAULT 0,                  -- contacts that are there
    unsubscribed bigint NOT NULL DEFAULT 0,                  -- contacts that have left or bounced, and would stay so
    bad          bigint NOT NULL DEFAULT 0,                  -- rows
    duplicates   bigint NOT NULL DEFAULT 0,                  -- rows
    problems     jsonb NOT NULL DEFAULT '[]'                 -- the first ones; no value of a row is kept
);

CREATE TABLE previewed_person (                              -- whom earlier rows spoke of, while the job is at work         pp
    job_id bigint NOT NULL,                                  -- its end deletes them
    person uuid NOT NULL,                                    -- an address or telephone by a key that nobody has afterwards
    PRIMARY KEY (job_id, person)
);
