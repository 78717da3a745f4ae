-- Messages and deliveries: what leaves the house, and what became of it.

CREATE TABLE message (                                       -- what can be sent: a template                                 me
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text,                                         -- NULL: written into a step, known by its hash
    hash       bytea,
    channel    text NOT NULL DEFAULT 'EMAIL' CHECK (channel IN ('EMAIL', 'SMS', 'WEBHOOK')),
    subject    text,
    preheader  text,                                         -- what a mailbox shows beside the subject
    format     text NOT NULL DEFAULT 'HTML' CHECK (format IN ('HTML', 'MJML')),      -- of `source`
    source     text,                                         -- as it was written
    html       text,                                         -- made of it once: Liquid still in it, styles in the elements
    text       text,                                         -- the text part; of SMS and webhooks, the body
    url        text,                                         -- of a webhook
    from_name  text,
    reply_to   text,
    tracked    boolean NOT NULL DEFAULT TRUE,                -- opens and clicks are noted
    version    integer NOT NULL DEFAULT 1,                   -- counts edits
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT message_named CHECK ((name IS NULL) = (hash IS NOT NULL))
);
CREATE UNIQUE INDEX message_name_key ON message (lower(name)) WHERE name IS NOT NULL;
CREATE UNIQUE INDEX message_hash_key ON message (hash) WHERE hash IS NOT NULL;

-- One row an effect that leaves the house, written in the transaction that asks for it and performed afterwards.
-- `due_at` is when the loop looks at it again: at once, after a pause, or when the lease of whoever sends it ends.
CREATE TABLE delivery (                                      --                                                              dv
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key           text NOT NULL UNIQUE,                      -- name of the effect: run:7:3, campaign:4:contact:9
    contact_id    bigint REFERENCES contact ON DELETE CASCADE,        -- whom it goes to, or whom it is about
    channel       text NOT NULL CHECK (channel IN ('EMAIL', 'SMS', 'WEBHOOK')),
    origin        text NOT NULL CHECK (origin IN ('AUTOMATION', 'CAMPAIGN', 'PERSONAL', 'NOTICE', 'TEST', 'HOOK')),
    status        text NOT NULL DEFAULT 'QUEUED'
        CHECK (status IN ('QUEUED', 'SENDING', 'DATA', 'SENT', 'FAILED', 'UNKNOWN', 'SUPPRESSED')),
    reason        text,                                      -- a code: why it was suppressed or failed
    message_id    bigint REFERENCES message,
    campaign_id   bigint,
    automation_id bigint,
    step_id       bigint,                                    -- automation_step
    run_id        bigint,
    seq           integer,
    list_ids      bigint[] NOT NULL DEFAULT '{}',            -- the lists by which it goes; none: any
    content       jsonb,                                     -- what is of this one alone: to, userId, subject, text …
    attempt       integer NOT NULL DEFAULT 0,                -- counts claims: only the latest may write
    crashes       integer NOT NULL DEFAULT 0,                -- claims from which nobody came back
    due_at        timestamptz,                               -- NULL: done with
    answer        text,                                      -- what the other server said, addresses taken out
    provider_id   text,                                      -- Message-ID, or what a gateway calls it
    bounce        text CHECK (bounce IN ('SOFT', 'HARD')),   -- the address itself was refused
    untold        boolean NOT NULL DEFAULT FALSE,            -- it is still to be a fact about the contact
    queued_at     timestamptz NOT NULL,
    data_at       timestamptz,                               -- the point of no return
    finished_at   timestamptz,
    CONSTRAINT delivery_done CHECK ((due_at IS NULL) = (status IN ('SENT', 'FAILED', 'UNKNOWN', 'SUPPRESSED')))
);
CREATE INDEX delivery_due ON delivery (channel, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_untold ON delivery (id) WHERE untold;
CREATE INDEX delivery_troubled ON delivery (status, id) WHERE status IN ('FAILED', 'UNKNOWN', 'SUPPRESSED');
CREATE INDEX delivery_of_contact ON delivery (contact_id, id) WHERE contact_id IS NOT NULL;
CREATE INDEX delivery_of_run ON delivery (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX delivery_of_automation ON delivery (automation_id, id) WHERE automation_id IS NOT NULL;
CREATE INDEX delivery_of_message ON delivery (message_id, id) WHERE message_id IS NOT NULL;
CREATE INDEX delivery_age ON delivery USING brin (queued_at);
ALTER TABLE delivery SET (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 80);
