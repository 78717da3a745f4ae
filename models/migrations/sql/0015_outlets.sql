-- Outlets: webhooks to other systems, the weekly report of subscribers, and what users of the team are told.

------------------------------------------------------------------------------------------------------------------ webhooks

CREATE TABLE webhook (                                       -- another system that wants to hear of facts                   wh
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url                 text NOT NULL,
    kinds               text[] NOT NULL CHECK (kinds <> '{}'),
    description         text,
    secret              bytea NOT NULL,                      -- sealed (services/vault.py)
    secret_before       bytea,                               -- signs beside the new one for a day
    secret_before_until timestamptz,
    paused_at           timestamptz,                         -- nothing is collected or sent
    paused_for          text CHECK (paused_for IN ('MANUAL', 'FAILING', 'GONE')),
    failing_since       timestamptz,                         -- nothing has arrived since
    rests_until         timestamptz,                         -- it could not be reached: the others behind it need not wait
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CONSTRAINT webhook_paused CHECK ((paused_at IS NULL) = (paused_for IS NULL))
);

-- The pile of facts that webhooks want to hear of, put there with the facts themselves. While nobody listens, nothing is.
CREATE TABLE webhook_fact (                                  --                                                              wk
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id bigint NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event_id   bigint,                                       -- NULL: a contact was deleted, and its facts with it
    erased_id  bigint,                                       -- … of which only the number is left
    at         timestamptz
);
CREATE INDEX webhook_fact_of ON webhook_fact (webhook_id);
ALTER TABLE webhook_fact SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE FUNCTION webhooks_hear() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM webhook wh WHERE wh.paused_at IS NULL) THEN
        INSERT INTO webhook_fact (webhook_id, event_id)
        SELECT wh.id, made.id
        FROM made
        JOIN webhook wh ON wh.paused_at IS NULL AND made.kind = ANY(wh.kinds)
        ORDER BY made.id, wh.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER webhooks_hear AFTER INSERT ON event REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION webhooks_hear();

CREATE FUNCTION webhooks_hear_of_deletions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_fact (webhook_id, erased_id, at)
    SELECT wh.id, gone.id, parcours_now()
    FROM gone
    JOIN webhook wh ON wh.paused_at IS NULL AND 'CONTACT_DELETED' = ANY(wh.kinds)
    ORDER BY gone.id, wh.id;
    RETURN NULL;
END $$;
CREATE TRIGGER webhooks_hear AFTER DELETE ON contact REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION webhooks_hear_of_deletions();

ALTER TABLE delivery ADD COLUMN webhook_id bigint;           -- it stays when the webhook goes, until the log is forgotten
CREATE INDEX delivery_of_webhook ON delivery (webhook_id, id) WHERE webhook_id IS NOT NULL;
CREATE INDEX delivery_told ON delivery (finished_at) WHERE webhook_id IS NOT NULL;

-------------------------------------------------------------------------------------------------------------------- reports

CREATE TABLE report_week (                                   -- a week that was looked at, once                              rw
    week  date PRIMARY KEY,                                  -- its Monday
    total bigint NOT NULL                                    -- subscribers at its end
);

CREATE TABLE weekly_report (                                 --                                                              wr
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    week         date NOT NULL UNIQUE REFERENCES report_week,
    begins_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    total_before bigint NOT NULL,
    total        bigint NOT NULL,
    subscribed   bigint NOT NULL,
    unsubscribed bigint NOT NULL,
    website      bigint NOT NULL,                            -- where those who subscribed came from
    checkout     bigint NOT NULL,
    imported     bigint NOT NULL,
    forms        bigint NOT NULL,
    others       bigint NOT NULL,
    recipients   bigint[] NOT NULL DEFAULT '{}',             -- the owners to whom it went
    created_at   timestamptz NOT NULL
);

ALTER TABLE user_account ADD COLUMN weekly_report boolean NOT NULL DEFAULT TRUE;
CREATE INDEX membership_change_by_at ON membership_change USING brin (at) WITH (pages_per_range = 16, autosummarize = on);

-------------------------------------------------------------------------------------------------------------- notifications

CREATE TABLE notification (                                  -- what a user of the team is told                              nt
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind IN ('TASK_ASSIGNED', 'TASK_ALERT', 'FORM_SUBMITTED', 'WEBHOOK_PAUSED', 'JOB_FINISHED')),
    contact_id bigint REFERENCES contact ON DELETE CASCADE,
    subject    bigint,                                       -- the task, form, webhook or job
    data       jsonb NOT NULL DEFAULT '{}',
    mail       boolean NOT NULL DEFAULT FALSE,               -- it is still to go by e-mail
    created_at timestamptz NOT NULL,
    read_at    timestamptz
);
CREATE INDEX notification_of_user ON notification (user_id, id);
CREATE INDEX notification_unread ON notification (user_id, id) WHERE read_at IS NULL;
CREATE INDEX notification_of_contact ON notification (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX notification_to_mail ON notification (user_id) WHERE mail;
CREATE INDEX notification_by_age ON notification (created_at);

-- By which kinds of notifications a user gets no e-mail.
ALTER TABLE user_account ADD COLUMN unmailed text[] NOT NULL DEFAULT '{JOB_FINISHED}';

CREATE FUNCTION notify_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('notification_added', told.user_id || ':' || told.ids)
    FROM (
        SELECT
            made.user_id,
            CASE WHEN count(*) > 300 THEN '*' ELSE string_agg(made.id::text, ',' ORDER BY made.id) END AS ids
        FROM made
        GROUP BY made.user_id
    ) AS told;
    RETURN NULL;
END $$;
CREATE TRIGGER notification_notifies AFTER INSERT ON notification REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION notify_users();
