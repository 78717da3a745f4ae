-- The whole engine: goals, splits, drafts, refused entries.

ALTER TABLE automation
    ADD COLUMN unsubscribe_lists bigint[],                   -- what the link in its mails takes people off; NULL: all lists
    ADD COLUMN draft jsonb;                                  -- {"steps": [...], "triggers": [...]}: not published yet

CREATE TABLE split (                                         -- a fork by shares, since somebody went through it      sl
    automation_id bigint NOT NULL REFERENCES automation ON DELETE CASCADE,
    step_key      text NOT NULL,
    paths         text[] NOT NULL,
    counts        bigint[] NOT NULL,                         -- contacts sent along each of the paths
    winner        text,                                      -- its end has come: everybody who is new takes this path
    PRIMARY KEY (automation_id, step_key)
);

CREATE TABLE split_path (                                    -- the way a contact takes there, whenever it comes by   sw
    contact_id    bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    automation_id bigint NOT NULL REFERENCES automation ON DELETE CASCADE,
    step_key      text NOT NULL,
    path          text NOT NULL,
    PRIMARY KEY (contact_id, automation_id, step_key)
);
CREATE INDEX split_path_of_step ON split_path (automation_id, step_key);

------------------------------------------------------------------- entries that were refused, dates, and what is counted

CREATE TABLE refused_entry (                                 -- who was not let into an automation, and why           rf
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id    bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    automation_id bigint NOT NULL REFERENCES automation ON DELETE CASCADE,
    trigger_id    bigint,                                    -- NULL: not by a trigger
    event_id      bigint,                                    -- the fact that would have let it in
    via           text NOT NULL,                             -- as run.via
    entry_label   text NOT NULL,                             -- in words, as run.entry_label
    actor         text,
    reason        text NOT NULL,                             -- ENTRY_NOT_ALLOWED TRIGGER_ONCE TRIGGER_CAP AUTOMATION_NOT_ACTIVE
    run_id        bigint,                                    -- the latest run of the contact there
    at            timestamptz NOT NULL
);
CREATE INDEX refused_entry_of_contact ON refused_entry (contact_id, id);
CREATE INDEX refused_entry_of_automation ON refused_entry (automation_id, id);
CREATE INDEX refused_entry_by_time ON refused_entry (at);

ALTER TABLE trigger
    ADD COLUMN enabled boolean NOT NULL DEFAULT TRUE,
    ADD COLUMN scanned_day date,                             -- of dates: this day and all before it are done with
    ADD COLUMN scanned_contact bigint;                       -- … and of the day after it everybody up to this contact

-- Contacts that are inside more than once, so that each is counted once.
CREATE INDEX run_again ON run (automation_id, contact_id, entry_number) WHERE ended_at IS NULL AND entry_number > 1;

-- What came of the e-mails of automations: appended to by whoever writes email_send, added up like the other counts.
CREATE TABLE email_count (
    automation_id bigint NOT NULL,
    step_id       bigint,                                    -- automation_step
    sends         bigint NOT NULL,
    opens         bigint NOT NULL,                           -- of these, how many were opened, and clicked
    clicks        bigint NOT NULL
);
CREATE INDEX email_count_of_automation ON email_count (automation_id, step_id);

CREATE FUNCTION count_emails_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO email_count (automation_id, step_id, sends, opens, clicks)
    SELECT made.automation_id, made.step_id, count(*), count(made.opened_at), count(made.clicked_at)
    FROM made
    WHERE made.automation_id IS NOT NULL
    GROUP BY made.automation_id, made.step_id;
    RETURN NULL;
END $$;
CREATE TRIGGER email_send_counted_new AFTER INSERT ON email_send REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION count_emails_new();

CREATE FUNCTION count_emails_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO email_count (automation_id, step_id, sends, opens, clicks)
    SELECT
        made.automation_id, made.step_id, 0,
        count(made.opened_at) - count(was.opened_at),
        count(made.clicked_at) - count(was.clicked_at)
    FROM made
    JOIN was ON was.id = made.id
    WHERE made.automation_id IS NOT NULL
    GROUP BY made.automation_id, made.step_id
    HAVING count(made.opened_at) <> count(was.opened_at)
        OR count(made.clicked_at) <> count(was.clicked_at);
    RETURN NULL;
END $$;
CREATE TRIGGER email_send_counted_changed AFTER UPDATE ON email_send REFERENCING NEW TABLE AS made OLD TABLE AS was
    FOR EACH STATEMENT EXECUTE FUNCTION count_emails_changed();

CREATE TABLE invariant_check (                               -- what must never be, and how often it was found to be so
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    violations bigint,                                       -- NULL: it could not be counted in time
    checked_at timestamptz NOT NULL
);
