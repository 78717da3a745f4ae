-- The core of Parcours: who is in, what they are told, and the way each contact takes.
-- Aliases of one letter that every query of the house uses stand beside the tables.

------------------------------------------------------------------------------------------------ account, users, tokens

CREATE TABLE account (                                       -- one row: the settings of this deployment
    id              smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    name            text NOT NULL DEFAULT 'Parcours',
    timezone        text NOT NULL DEFAULT 'UTC',
    default_country text NOT NULL DEFAULT 'US' CHECK (default_country ~ '^[A-Z]{2}$'),
    clock_shift     interval NOT NULL DEFAULT '0',           -- moved by an operator in test mode only
    created_at      timestamptz NOT NULL DEFAULT now()
);
INSERT INTO account DEFAULT VALUES;

CREATE FUNCTION parcours_now() RETURNS timestamptz
    LANGUAGE sql VOLATILE
    RETURN clock_timestamp() + coalesce((SELECT account.clock_shift FROM account), '0'::interval);

CREATE TABLE user_account (                                                                                         -- u
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email          text NOT NULL,
    name           text NOT NULL,
    role           text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    deactivated_at timestamptz
);
CREATE UNIQUE INDEX user_account_email_key ON user_account (lower(email));

CREATE TABLE access_token (                                                                                         -- w
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
    name         text NOT NULL,
    prefix       text NOT NULL,                              -- the first characters, to tell tokens apart in a list
    hash         bytea NOT NULL,                             -- SHA-256 of the whole token, which is shown once
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE UNIQUE INDEX access_token_hash_key ON access_token (hash);
CREATE INDEX access_token_user_idx ON access_token (user_id);

------------------------------------------------------------------------------------------------------------- contacts

-- What texts are sorted and looked up by: lower case, absent ones last. Long ones by their beginning, for the index.
CREATE FUNCTION sort_text(text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(lower(left($1, 200)), U&'\+10FFFF');

CREATE TABLE company (                                                                                             -- co
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX company_name_key ON company (lower(name));

CREATE TABLE contact (                                                                                              -- c
    id                        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email                     text CHECK (email <> ''),
    phone                     text CHECK (phone ~ '^\+[1-9][0-9]{3,14}$'),
    first_name                text,
    last_name                 text,
    full_name                 text GENERATED ALWAYS AS (nullif(btrim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '')) STORED,
    job_title                 text,
    company_id                bigint REFERENCES company ON DELETE SET NULL,
    timezone                  text,
    lifecycle_stage           text NOT NULL DEFAULT 'SUBSCRIBER'
        CHECK (lifecycle_stage IN ('SUBSCRIBER', 'LEAD', 'MQL', 'SQL', 'OPPORTUNITY', 'CUSTOMER', 'EVANGELIST', 'OTHER')),
    engagement_level          text NOT NULL DEFAULT 'EVERYONE_ELSE',
    previous_engagement_level text NOT NULL DEFAULT 'EVERYONE_ELSE',
    marketing_opt_in_at       timestamptz,                   -- the box of a form; lists count besides (SQ11)
    origin                    text NOT NULL DEFAULT 'API',
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL,          -- of the record itself; tags, lists and runs do not move it
    CONSTRAINT contact_identifier_required CHECK (email IS NOT NULL OR phone IS NOT NULL)
);
-- Identity, domain.md 5.2: an address once among all, a number once among those without an address.
CREATE UNIQUE INDEX contact_email_key ON contact (lower(email));
CREATE UNIQUE INDEX contact_phone_alone_key ON contact (phone) WHERE email IS NULL;
CREATE INDEX contact_phone_idx ON contact (phone) WHERE phone IS NOT NULL;
CREATE INDEX contact_company_idx ON contact (company_id) WHERE company_id IS NOT NULL;
-- One index a sort, so that every page of every sort is one short index scan.
CREATE INDEX contact_by_email ON contact (sort_text(email) COLLATE "C", id);
CREATE INDEX contact_by_phone ON contact (sort_text(phone) COLLATE "C", id);
CREATE INDEX contact_by_first_name ON contact (sort_text(first_name) COLLATE "C", id);
CREATE INDEX contact_by_last_name ON contact (sort_text(last_name) COLLATE "C", id);
CREATE INDEX contact_by_full_name ON contact (sort_text(full_name) COLLATE "C", id);
CREATE INDEX contact_by_job_title ON contact (sort_text(job_title) COLLATE "C", id);
CREATE INDEX contact_by_lifecycle_stage ON contact (lifecycle_stage COLLATE "C", id);
CREATE INDEX contact_by_created_at ON contact (created_at, id);
CREATE INDEX contact_by_updated_at ON contact (updated_at, id);

CREATE TABLE field (                                         -- a custom field of contacts                            f
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,                                -- internal, fixed
    label      text NOT NULL,
    type       text NOT NULL CHECK (type IN ('TEXT', 'TEXTAREA', 'DATE', 'DATETIME', 'DROPDOWN', 'LISTBOX', 'RADIO',
                                             'CHECKBOX', 'NUMBER', 'CURRENCY', 'HIDDEN')),
    options    text[] NOT NULL DEFAULT '{}',
    required   boolean NOT NULL DEFAULT FALSE,
    group_name text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX field_name_key ON field (lower(name));

-- One row a filled field. `value` is what the API shows; the typed columns are what conditions and sorts look at:
-- text for TEXT TEXTAREA HIDDEN DROPDOWN RADIO, number for NUMBER CURRENCY, date for DATE, time for DATETIME;
-- LISTBOX and CHECKBOX have an array in `value` and no typed column.
CREATE TABLE field_value (                                                                                          -- v
    contact_id   bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    field_id     bigint NOT NULL REFERENCES field ON DELETE CASCADE,
    value        jsonb NOT NULL,
    text_value   text,
    number_value numeric,
    date_value   date,
    time_value   timestamptz,
    PRIMARY KEY (contact_id, field_id)
);
CREATE INDEX field_value_by_text ON field_value (field_id, sort_text(text_value) COLLATE "C", contact_id) WHERE text_value IS NOT NULL;
CREATE INDEX field_value_by_number ON field_value (field_id, number_value, contact_id) WHERE number_value IS NOT NULL;
CREATE INDEX field_value_by_date ON field_value (field_id, date_value, contact_id) WHERE date_value IS NOT NULL;
CREATE INDEX field_value_by_time ON field_value (field_id, time_value, contact_id) WHERE time_value IS NOT NULL;

CREATE TABLE tag (                                                                                                  -- t
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL CHECK (name = btrim(name) AND name <> '' AND position(',' IN name) = 0),
    description text,
    created_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX tag_name_key ON tag (lower(name));

CREATE TABLE contact_tag (                                                                                         -- ct
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    tag_id     bigint NOT NULL REFERENCES tag ON DELETE CASCADE,
    added_at   timestamptz NOT NULL,
    PRIMARY KEY (contact_id, tag_id)
);
CREATE INDEX contact_tag_of_tag ON contact_tag (tag_id, contact_id);

CREATE TABLE contact_list (                                                                                         -- l
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL,
    description   text,
    channel       text NOT NULL DEFAULT 'EMAIL' CHECK (channel IN ('EMAIL', 'SMS')),
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX contact_list_name_key ON contact_list (lower(name));

CREATE TABLE membership (                                                                                           -- m
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id      bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    list_id         bigint NOT NULL REFERENCES contact_list ON DELETE CASCADE,
    status          text NOT NULL CHECK (status IN ('ACTIVE', 'UNCONFIRMED', 'UNSUBSCRIBED', 'BOUNCED')),
    source          text CHECK (source IN ('CONTACT', 'MANUAL', 'AUTOMATION', 'UNKNOWN')),    -- NULL reads as UNKNOWN
    source_detail   text,                                    -- FORM IMPORT API SYNC BULK CHECKOUT
    subscribed_at   timestamptz,
    confirmed_at    timestamptz,
    unsubscribed_at timestamptz,
    unsubscribed_by text CHECK (unsubscribed_by IN ('CONTACT', 'MANUAL', 'AUTOMATION', 'UNKNOWN')),
    user_id         bigint REFERENCES user_account ON DELETE SET NULL,                        -- who made the latest change
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (contact_id, list_id)
);
CREATE INDEX membership_of_list ON membership (list_id, status, contact_id);

----------------------------------------------------------------------------------------------------------- automations

CREATE TABLE automation (                                                                                           -- a
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                text NOT NULL,
    description         text,
    status              text NOT NULL DEFAULT 'INACTIVE' CHECK (status IN ('INACTIVE', 'ACTIVE', 'ARCHIVED')),
    timezone            text,                                -- NULL: the account's
    entry_policy        text NOT NULL DEFAULT 'ANY' CHECK (entry_policy IN ('ANY', 'ONCE', 'AFTER_EXIT')),
    exit_on_unsubscribe boolean NOT NULL DEFAULT FALSE,
    version             integer NOT NULL DEFAULT 0,          -- the number of the live version
    version_id          bigint,                              -- the live version
    active_since        timestamptz,                         -- facts recorded before do not enter anybody
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);

CREATE TABLE automation_version (                            -- immutable                                             av
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    automation_id bigint NOT NULL REFERENCES automation ON DELETE CASCADE,
    number        integer NOT NULL,
    graph         jsonb NOT NULL,                            -- {"steps": [...]} as the designer wrote them
    created_at    timestamptz NOT NULL,
    UNIQUE (automation_id, number)
);
ALTER TABLE automation ADD FOREIGN KEY (version_id) REFERENCES automation_version DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE automation_step (                               -- a step as it was called, shared by versions           s
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    automation_id bigint NOT NULL REFERENCES automation ON DELETE CASCADE,
    key           text NOT NULL,                             -- the designer's id, kept across edits
    kind          text NOT NULL,
    label         text NOT NULL,
    UNIQUE (automation_id, key, kind, label)
);

CREATE TABLE trigger (                                       -- of the live versions                                  g
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    automation_id bigint NOT NULL REFERENCES automation ON DELETE CASCADE,
    position      integer NOT NULL,
    kind          text NOT NULL,
    subject       bigint,                                    -- the list, tag or field it is about; NULL: any
    parameters    jsonb NOT NULL,                            -- {"tagAdded": {"tag": "vip"}} as the designer wrote it
    condition     jsonb,
    runs          text NOT NULL DEFAULT 'MULTIPLE' CHECK (runs IN ('ONCE', 'MULTIPLE')),
    removed_at    timestamptz,                               -- kept: ONCE counts entries also after an edit
    created_at    timestamptz NOT NULL
);
CREATE INDEX trigger_live ON trigger (kind, subject) WHERE removed_at IS NULL;
CREATE INDEX trigger_of_automation ON trigger (automation_id, position);

CREATE TABLE run (                                           -- one contact's way through one automation              r
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id    bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    automation_id bigint NOT NULL REFERENCES automation,
    version_id    bigint NOT NULL REFERENCES automation_version,      -- whose step `step_key` is
    entry_number  integer NOT NULL,                          -- 1 for the first time in
    via           text NOT NULL,                             -- TRIGGER MANUAL API BULK NOTE TASK FORM AUTOMATION IMPORT
    trigger_id    bigint,
    event_id      bigint,                                    -- the fact that let it in
    entry_label   text NOT NULL,                             -- in words: "Subscribed to Customers"
    actor         text,                                      -- who, as in event.actor
    depth         integer NOT NULL DEFAULT 0,                -- automations that started each other to get here
    step_key      text,                                      -- where it stands; NULL once ended
    seq           integer NOT NULL DEFAULT 0,                -- number of the latest visit
    moves         integer NOT NULL DEFAULT 0,                -- steps since the latest wait, for the loop guard
    waiting       boolean NOT NULL DEFAULT FALSE,            -- the visit `seq` is in progress
    watching      boolean NOT NULL DEFAULT FALSE,            -- … and a fact about the contact may end it
    due_at        timestamptz,                               -- when the engine looks again; NULL: only when woken
    deadline_at   timestamptz,                               -- when the wait ends whatever happens
    attempt       integer NOT NULL DEFAULT 0,                -- failed tries of the step it stands on
    paused_at     timestamptz,                               -- held by hand
    started_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    end_reason    text,
    CONSTRAINT run_ended CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT run_rests CHECK (ended_at IS NULL OR (due_at IS NULL AND NOT waiting AND NOT watching))
);
CREATE UNIQUE INDEX run_entry_key ON run (contact_id, automation_id, entry_number);
CREATE INDEX run_due ON run (automation_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX run_watching ON run (contact_id) WHERE watching;
CREATE INDEX run_of_automation ON run (automation_id, id);
CREATE INDEX run_active ON run (automation_id, id) WHERE ended_at IS NULL;
ALTER TABLE run SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

CREATE TYPE visit_status AS ENUM ('IN_PROGRESS', 'COMPLETED', 'SKIPPED', 'FAILED');

CREATE TABLE visit (                                         -- a run at a step: path, statistics and exactly-once guard   i
    run_id      bigint NOT NULL,
    step_id     integer NOT NULL,                            -- automation_step
    seq         integer NOT NULL,
    status      visit_status NOT NULL,
    entered_at  timestamptz NOT NULL,
    finished_at timestamptz,
    reason      text,
    branch      text,
    detail      jsonb,
    PRIMARY KEY (run_id, seq)
) PARTITION BY RANGE (run_id);

-- Maintained counts: every batch appends what it changed, a fold adds the rows up, so that no two workers wait for each other.
CREATE TABLE visit_count (
    step_id bigint NOT NULL REFERENCES automation_step ON DELETE CASCADE,
    status  visit_status NOT NULL,
    reason  text,
    branch  text,
    n       bigint NOT NULL
);
CREATE INDEX visit_count_of_step ON visit_count (step_id);

CREATE TABLE run_count (
    automation_id bigint NOT NULL REFERENCES automation ON DELETE CASCADE,
    end_reason    text,                                      -- NULL: entries
    n             bigint NOT NULL
);
CREATE INDEX run_count_of_automation ON run_count (automation_id);

-------------------------------------------------------------------------------------------------------- tasks and notes

CREATE TABLE task (                                                                                                 -- k
    id                        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id                bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    title                     text NOT NULL,
    description               text,
    type                      text NOT NULL DEFAULT 'TODO',
    status                    text NOT NULL DEFAULT 'INCOMPLETE' CHECK (status IN ('INCOMPLETE', 'COMPLETE')),
    due_at                    timestamptz,
    duration_minutes          integer CHECK (duration_minutes >= 0),
    assignee_id               bigint REFERENCES user_account ON DELETE SET NULL,
    creator_id                bigint REFERENCES user_account ON DELETE SET NULL,
    on_save_automation_id     bigint REFERENCES automation ON DELETE SET NULL,
    on_complete_automation_id bigint REFERENCES automation ON DELETE SET NULL,
    run_id                    bigint,                        -- the automation run that made it
    completed_at              timestamptz,
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL
);
CREATE INDEX task_of_contact ON task (contact_id, id);
CREATE INDEX task_of_assignee ON task (assignee_id, id) WHERE assignee_id IS NOT NULL;
CREATE INDEX task_by_due ON task (due_at, id) WHERE status = 'INCOMPLETE';

CREATE TABLE note (                                                                                                 -- n
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    text       text NOT NULL,
    author_id  bigint REFERENCES user_account ON DELETE SET NULL,
    run_id     bigint,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX note_of_contact ON note (contact_id, id);

----------------------------------------------------------------------------------------------------------------- facts

CREATE TABLE event (                                         -- a fact about a contact: its activity, the source of triggers   e
    id          bigint GENERATED ALWAYS AS IDENTITY,
    contact_id  bigint NOT NULL,
    kind        text NOT NULL,
    at          timestamptz NOT NULL,                        -- when it happened
    recorded_at timestamptz NOT NULL,                        -- when we heard of it; entry looks at this one
    subject     bigint,                                      -- the tag, list, field, task … it is about
    actor       text NOT NULL,                               -- "user:3", "run:17", "import:2", "system"
    data        jsonb,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX event_of_contact ON event (contact_id, at DESC, id DESC);

CREATE TABLE pending_event (                                 -- facts the engine has not looked at yet               pe
    event_id bigint PRIMARY KEY
);
ALTER TABLE pending_event SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-------------------------------------------------------------------------------------------------------------- partitions

CREATE TABLE visit_rest PARTITION OF visit DEFAULT;          -- a safety net: no insert ever fails for want of a partition
CREATE TABLE event_rest PARTITION OF event DEFAULT;

-- Make the partitions that the next ids will need; harmless to call at any time, from any number of processes.
CREATE FUNCTION ensure_partitions() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    spec   record;
    newest bigint;
    at     bigint;
    part   text;
    made   integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7226, 1);
    FOR spec IN SELECT * FROM (VALUES ('visit', 'run', 4194304::bigint), ('event', 'event', 16777216::bigint)) AS p (parent, numbered, span) LOOP
        EXECUTE format('SELECT last_value FROM %s', pg_get_serial_sequence(spec.numbered, 'id')) INTO newest;
        FOR ahead IN 0..2 LOOP
            at := (newest / spec.span + ahead) * spec.span;
            part := format('%s_from_%s', spec.parent, at);
            IF to_regclass(part) IS NULL THEN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)', part, spec.parent, at, at + spec.span);
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
SELECT ensure_partitions();

------------------------------------------------------------------------------------------------------------- live changes

-- Whoever listens hears of changed contacts and runs at the commit that changed them: ids, as many to a message as it
-- holds (8,000 bytes); a lone * where they are more than anybody watches one by one.
CREATE FUNCTION notify_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM changed) > 5000 THEN
        PERFORM pg_notify('contact_changed', '*');
    ELSE
        PERFORM pg_notify('contact_changed', string_agg(numbered.contact_id::text, ','))
        FROM (SELECT found.contact_id, row_number() OVER () / 350 AS message FROM (SELECT DISTINCT changed.contact_id FROM changed) found) numbered
        GROUP BY numbered.message;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_notifies AFTER INSERT ON event REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION notify_contacts();

CREATE FUNCTION notify_runs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM changed) > 5000 THEN
        PERFORM pg_notify('run_changed', '*');
    ELSE
        PERFORM pg_notify('run_changed', string_agg(numbered.run, ','))
        FROM (
            SELECT changed.id || ':' || changed.automation_id || ':' || changed.contact_id AS run, row_number() OVER () / 120 AS message
            FROM changed
        ) numbered
        GROUP BY numbered.message;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER run_notifies_new AFTER INSERT ON run REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION notify_runs();
CREATE TRIGGER run_notifies_moved AFTER UPDATE ON run REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION notify_runs();
