-- The whole record of a contact: settings, forms, consent, commerce, exclusions, merges, and who changed what.

---------------------------------------------------------------------------------------------------- settings and history

ALTER TABLE account
    ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',         -- what admins changed; the rest has defaults in services/settings.py
    ADD COLUMN secret   bytea NOT NULL DEFAULT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');

CREATE TABLE audit_entry (                                   -- append only; names what was touched, holds no personal value   ae
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,                                -- as in event.actor
    user_id    bigint,
    operation  text NOT NULL,                                -- the mutation: updateContact
    subjects   text[] NOT NULL DEFAULT '{}',                 -- global ids of what it was about
    inputs     text[] NOT NULL DEFAULT '{}',                 -- names of the inputs that were given
    outcome    text NOT NULL CHECK (outcome IN ('DONE', 'REFUSED', 'FORBIDDEN', 'FAILED')),
    codes      text[] NOT NULL DEFAULT '{}',                 -- of the refusal
    request_id text
);
CREATE INDEX audit_entry_by_user ON audit_entry (user_id, id);
CREATE INDEX audit_entry_by_operation ON audit_entry (operation, id);
CREATE INDEX audit_entry_by_subject ON audit_entry USING gin (subjects);
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is append only.';
END $$;
CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

------------------------------------------------------------------------------------------------------- fields and stages

CREATE TABLE field_group (                                   --                                                              fg
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,                                -- internal, fixed
    label      text NOT NULL,
    position   integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX field_group_name_key ON field_group (lower(name));

ALTER TABLE field
    ADD COLUMN description     text,
    ADD COLUMN position        integer NOT NULL DEFAULT 0,
    ADD COLUMN is_default      boolean NOT NULL DEFAULT FALSE,      -- shown in the preview and when adding by hand
    ADD COLUMN visible         boolean NOT NULL DEFAULT TRUE,
    ADD COLUMN external_source text,
    ADD COLUMN external_id     text;

CREATE TABLE lifecycle_entry (                               -- when a contact last came into a stage                        le
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    stage      text NOT NULL,
    entered_at timestamptz NOT NULL,
    PRIMARY KEY (contact_id, stage)
);

ALTER TABLE contact
    ADD COLUMN marketing_revoked_at timestamptz,
    ADD COLUMN external_source text,
    ADD COLUMN external_id     text,
    ADD COLUMN has_account     boolean NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX contact_external_key ON contact (coalesce(external_source, ''), external_id) WHERE external_id IS NOT NULL;

-- Every door keeps the dates (HS13), because the table does. Who has been a SUBSCRIBER from the beginning gets its row
-- when it moves on: until then `created_at` says it, so that new contacts cost no second row.
CREATE FUNCTION lifecycle_remembers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.lifecycle_stage = 'SUBSCRIBER' THEN
        INSERT INTO lifecycle_entry (contact_id, stage, entered_at)
        VALUES (OLD.id, OLD.lifecycle_stage, OLD.created_at)
        ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO lifecycle_entry (contact_id, stage, entered_at)
    VALUES (NEW.id, NEW.lifecycle_stage, NEW.updated_at)
    ON CONFLICT (contact_id, stage) DO UPDATE SET entered_at = excluded.entered_at;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_begins_in_stage AFTER INSERT ON contact
    FOR EACH ROW WHEN (NEW.lifecycle_stage <> 'SUBSCRIBER') EXECUTE FUNCTION lifecycle_remembers();
CREATE TRIGGER contact_changes_stage AFTER UPDATE OF lifecycle_stage ON contact
    FOR EACH ROW WHEN (OLD.lifecycle_stage <> NEW.lifecycle_stage) EXECUTE FUNCTION lifecycle_remembers();

-- A trigger is about the tag or field that has its name, also when that is made anew after it was deleted.
CREATE FUNCTION triggers_find_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE trigger g
    SET subject = made.id
    FROM made
    WHERE g.removed_at IS NULL
      AND lower(made.name) = lower(
          CASE g.kind
              WHEN 'TAG_ADDED' THEN CASE WHEN TG_TABLE_NAME = 'tag' THEN g.parameters -> 'tagAdded' ->> 'tag' END
              WHEN 'TAG_REMOVED' THEN CASE WHEN TG_TABLE_NAME = 'tag' THEN g.parameters -> 'tagRemoved' ->> 'tag' END
              WHEN 'FIELD_CHANGED' THEN CASE WHEN TG_TABLE_NAME = 'field' THEN g.parameters -> 'fieldChanged' ->> 'name' END
          END
      );
    RETURN NULL;
END $$;
CREATE TRIGGER tag_is_found_again AFTER INSERT ON tag REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION triggers_find_again();
CREATE TRIGGER field_is_found_again AFTER INSERT ON field REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION triggers_find_again();

------------------------------------------------------------------------------------------------------ limits of contacts

-- How many contacts count (AC4, Q15): all; in accounts of before 2025-11-03 those who are active on a list.
CREATE FUNCTION everybody_counts() RETURNS boolean
    LANGUAGE sql STABLE
    RETURN (SELECT (account.created_at AT TIME ZONE account.timezone)::date >= DATE '2025-11-03' FROM account);
CREATE FUNCTION contact_count() RETURNS bigint
    LANGUAGE sql STABLE
    RETURN CASE
        WHEN everybody_counts() THEN (SELECT count(*) FROM contact)
        ELSE (SELECT count(DISTINCT membership.contact_id) FROM membership WHERE membership.status = 'ACTIVE')
    END;

-- Whoever makes contacts, and by whichever door: not beyond the limit (Q16), one writer after the other where there is one.
CREATE FUNCTION contact_limit_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most integer := (SELECT (account.settings ->> 'contact_limit')::integer FROM account);
BEGIN
    IF most IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_WHEN = 'BEFORE' THEN
        PERFORM pg_advisory_xact_lock(7226, 3);
    ELSIF EXISTS (SELECT FROM made) AND contact_count() + (NOT everybody_counts())::integer > most THEN
        RAISE check_violation USING MESSAGE = 'The account has as many contacts as it may.', CONSTRAINT = 'contact_limit';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_limit_waits BEFORE INSERT ON contact
    FOR EACH STATEMENT EXECUTE FUNCTION contact_limit_holds();
CREATE TRIGGER contact_limit_holds AFTER INSERT ON contact REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION contact_limit_holds();

-- Nobody is known by a telephone alone where the account does not want that (AC3).
CREATE FUNCTION phone_alone_is_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT account.settings @> '{"phone_only_contacts_enabled": false}' FROM account) THEN
        RAISE check_violation USING
            MESSAGE = 'The account has no contacts with a telephone alone.', CONSTRAINT = 'contact_phone_alone_allowed';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_begins_without_email AFTER INSERT ON contact
    FOR EACH ROW WHEN (NEW.email IS NULL) EXECUTE FUNCTION phone_alone_is_allowed();
CREATE TRIGGER contact_loses_email AFTER UPDATE OF email ON contact
    FOR EACH ROW WHEN (OLD.email IS NOT NULL AND NEW.email IS NULL) EXECUTE FUNCTION phone_alone_is_allowed();

ALTER TABLE contact_list
    ADD COLUMN kind          text NOT NULL DEFAULT 'MAILING' CHECK (kind IN ('MAILING', 'STATIC')),
    ADD COLUMN double_opt_in boolean NOT NULL DEFAULT FALSE;

ALTER TABLE membership
    ADD COLUMN form_id            bigint,
    ADD COLUMN soft_bounces       integer NOT NULL DEFAULT 0,
    ADD COLUMN permission_by      text;                      -- who asserted that the contact agreed (AE8)

CREATE TABLE membership_change (                             -- every transition, newest source beside the old ones (Q9)      mc
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    membership_id bigint NOT NULL REFERENCES membership ON DELETE CASCADE,
    at            timestamptz NOT NULL,
    from_status   text,
    to_status     text NOT NULL,
    source        text,
    source_detail text,
    form_id       bigint,
    actor         text NOT NULL
);
CREATE INDEX membership_change_of ON membership_change (membership_id, id);

-- Every door writes the history, because the table does.
CREATE FUNCTION actor_of(membership) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN $1.user_id IS NOT NULL THEN 'user:' || $1.user_id ELSE lower(coalesce($1.source, 'unknown')) END;
CREATE FUNCTION membership_remembers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO membership_change (membership_id, at, to_status, source, source_detail, form_id, actor)
        SELECT made.id, made.updated_at, made.status, made.source, made.source_detail, made.form_id, actor_of(made)
        FROM made;
    ELSE
        INSERT INTO membership_change (membership_id, at, from_status, to_status, source, source_detail, form_id, actor)
        SELECT made.id, made.updated_at, before.status, made.status, made.source, made.source_detail, made.form_id, actor_of(made)
        FROM made
        JOIN before ON before.id = made.id
        WHERE before.status <> made.status;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER membership_begins AFTER INSERT ON membership REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION membership_remembers();
CREATE TRIGGER membership_changes AFTER UPDATE ON membership REFERENCING NEW TABLE AS made OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION membership_remembers();

------------------------------------------------------------------------------------------------------------------- forms

CREATE TABLE form (                                          -- what a website shows to strangers                            fo
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL,
    version         integer NOT NULL DEFAULT 1,
    active          boolean NOT NULL DEFAULT TRUE,
    asks            jsonb NOT NULL,                          -- [{"name": "email", "required": true}, …]
    double_opt_in   boolean NOT NULL DEFAULT FALSE,
    marketing_box   boolean NOT NULL DEFAULT FALSE,
    consent_wording text,                                    -- what stands beside the box
    actions         jsonb NOT NULL DEFAULT '[]',             -- [{"subscribe": {"listId": …}}, {"addTag": …}, …]
    allowed_origins text[] NOT NULL DEFAULT '{}',            -- empty: any
    redirect_url    text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX form_name_key ON form (lower(name));

CREATE TABLE form_submission (                               --                                                              fs
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form_id         bigint NOT NULL REFERENCES form,
    form_version    integer NOT NULL,
    contact_id      bigint REFERENCES contact ON DELETE CASCADE,
    answers         jsonb NOT NULL,                          -- raw, as they came
    outcome         text NOT NULL CHECK (outcome IN ('CREATED', 'UPDATED', 'SPAM', 'REFUSED')),
    marketing       boolean,                                 -- the box, where the form has one
    wording         text,                                    -- … and what stood beside it
    notify          bigint[] NOT NULL DEFAULT '{}',          -- users who are still to be told by e-mail
    page_name       text,
    page_url        text,
    ip              text,
    user_agent      text,
    idempotency_key text,
    at              timestamptz NOT NULL,
    confirmed_at    timestamptz
);
CREATE INDEX form_submission_of_form ON form_submission (form_id, id);
CREATE INDEX form_submission_of_contact ON form_submission (contact_id, id) WHERE contact_id IS NOT NULL;
CREATE UNIQUE INDEX form_submission_key ON form_submission (form_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX form_submission_of_nobody ON form_submission (id) WHERE contact_id IS NULL;

-------------------------------------------------------------------------------------------------------------- exclusions

CREATE TABLE exclusion (                                     -- addresses to which no e-mail goes (AC29)                     ex
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('EXACTLY', 'BEGINS_WITH', 'ENDS_WITH')),
    value      text NOT NULL CHECK (value = lower(btrim(value)) AND value <> ''),
    list_ids   bigint[] NOT NULL DEFAULT '{}',               -- ascending; empty: all lists
    reason     text,
    user_id    bigint REFERENCES user_account ON DELETE SET NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX exclusion_key ON exclusion (kind, value, list_ids);

CREATE TABLE suppression (                                   -- addresses of erased people that must not be mailed again; never in clear   sp
    hash       bytea NOT NULL,                               -- HMAC-SHA256 of the address with the account's secret
    reason     text NOT NULL CHECK (reason IN ('UNSUBSCRIBED', 'EXCLUDED', 'BOUNCED')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (hash, reason)
);

-- HMAC (RFC 2104) in the database's own words: the two halves of the key are made once.
CREATE FUNCTION hmac_half(secret bytea, filling integer) RETURNS bytea LANGUAGE sql IMMUTABLE
    RETURN (
        SELECT string_agg(
            set_byte('\x00', 0, CASE WHEN n < length(secret) THEN get_byte(secret, n) ELSE 0 END # filling), ''::bytea ORDER BY n
        )
        FROM generate_series(0, 63) AS n
    );
ALTER TABLE account
    ADD CONSTRAINT account_secret_fits CHECK (length(secret) BETWEEN 32 AND 64),
    ADD COLUMN secret_inner bytea NOT NULL GENERATED ALWAYS AS (hmac_half(secret, 54)) STORED,
    ADD COLUMN secret_outer bytea NOT NULL GENERATED ALWAYS AS (hmac_half(secret, 92)) STORED;
CREATE FUNCTION address_hash(address text) RETURNS bytea LANGUAGE sql STABLE
    RETURN (SELECT sha256(account.secret_outer || sha256(account.secret_inner || convert_to(lower(address), 'UTF8'))) FROM account);

-- Whoever was erased after leaving does not become ACTIVE again behind their back, by whatever door they return: the
-- table sees to it. Their own wish waits to be confirmed; nobody else's counts. Following the link lifts it (M9).
CREATE FUNCTION membership_stays_suppressed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known  text;                                             -- what it is at present
    reason text;
BEGIN
    IF NOT EXISTS (SELECT FROM suppression) THEN
        RETURN NEW;
    END IF;
    SELECT m.status INTO known FROM membership m WHERE m.contact_id = NEW.contact_id AND m.list_id = NEW.list_id;
    IF known = 'ACTIVE' THEN
        RETURN NEW;
    END IF;
    SELECT sp.reason INTO reason
    FROM contact_list l
    JOIN contact c ON c.id = NEW.contact_id
    JOIN suppression sp ON sp.hash = address_hash(CASE l.channel WHEN 'SMS' THEN c.phone ELSE c.email END)
    WHERE l.id = NEW.list_id
      AND sp.reason <> 'EXCLUDED'                            -- an exclusion leaves statuses alone (AC29)
    ORDER BY sp.reason DESC
    LIMIT 1;
    IF reason IS NULL THEN
        RETURN NEW;
    END IF;
    IF NEW.source = 'CONTACT' AND known IS DISTINCT FROM 'UNCONFIRMED' THEN
        NEW.status := 'UNCONFIRMED';
        NEW.confirmed_at := NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        RETURN NULL;
    ELSIF known IS NOT NULL THEN
        NEW.status := known;                                 -- so that ON CONFLICT finds nothing to change
    ELSE
        NEW.status := reason;
        NEW.subscribed_at := NULL;
        NEW.unsubscribed_at := CASE reason WHEN 'UNSUBSCRIBED' THEN NEW.updated_at END;
        NEW.unsubscribed_by := CASE reason WHEN 'UNSUBSCRIBED' THEN 'CONTACT' END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER membership_suppression BEFORE INSERT OR UPDATE OF status ON membership
    FOR EACH ROW WHEN (NEW.status = 'ACTIVE') EXECUTE FUNCTION membership_stays_suppressed();

-- Nor does such an address accept marketing by a box that anybody can tick, or by what it buys.
CREATE FUNCTION contact_stays_suppressed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM suppression)
        AND EXISTS (SELECT FROM suppression sp WHERE sp.hash = address_hash(NEW.email) AND sp.reason = 'UNSUBSCRIBED')
    THEN
        NEW.marketing_opt_in_at := NULL;
        NEW.marketing_revoked_at := coalesce(NEW.marketing_revoked_at, NEW.updated_at);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER contact_suppression BEFORE INSERT OR UPDATE OF email, marketing_opt_in_at ON contact
    FOR EACH ROW WHEN (NEW.email IS NOT NULL) EXECUTE FUNCTION contact_stays_suppressed();

---------------------------------------------------------------------------------------------------------------- commerce

CREATE TABLE customer_account (                              --                                                              ca
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id       bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    external_source  text NOT NULL DEFAULT '',
    external_id      text,
    payment          jsonb,                                  -- what a shop may keep: brand and last digits
    billing_address  jsonb,
    shipping_address jsonb,
    created_at       timestamptz NOT NULL,
    UNIQUE (contact_id)
);
CREATE UNIQUE INDEX customer_account_external_key ON customer_account (external_source, external_id) WHERE external_id IS NOT NULL;

CREATE TABLE shop_order (                                    --                                                               o
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    external_source  text NOT NULL DEFAULT '',
    external_id      text NOT NULL,
    contact_id       bigint REFERENCES contact ON DELETE SET NULL,
    status           text NOT NULL DEFAULT 'COMPLETE' CHECK (status IN ('COMPLETE', 'CANCELLED', 'REFUNDED')),
    number           text,
    total            numeric NOT NULL,
    currency         text,
    physical         boolean NOT NULL DEFAULT FALSE,
    customer_name    text,
    customer_email   text,
    billing_address  jsonb,
    shipping_address jsonb,
    items            jsonb NOT NULL DEFAULT '[]',
    ordered_at       timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE UNIQUE INDEX shop_order_external_key ON shop_order (external_source, external_id);
CREATE INDEX shop_order_by_time ON shop_order (ordered_at, id);
CREATE INDEX shop_order_of_contact ON shop_order (contact_id, ordered_at, id) WHERE contact_id IS NOT NULL;

CREATE TABLE donation (                                      --                                                              do
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    external_source text NOT NULL DEFAULT '',
    external_id     text NOT NULL,
    contact_id      bigint REFERENCES contact ON DELETE SET NULL,
    amount          numeric NOT NULL,
    currency        text,
    given_at        timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX donation_external_key ON donation (external_source, external_id);
CREATE INDEX donation_of_contact ON donation (contact_id, given_at, id) WHERE contact_id IS NOT NULL;

CREATE TABLE plan (                                          -- what people are members of                                   pl
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    paid       boolean NOT NULL DEFAULT TRUE,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX plan_name_key ON plan (lower(name));

CREATE TABLE plan_membership (                               --                                                              pm
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    external_source text NOT NULL DEFAULT '',
    external_id     text NOT NULL,
    contact_id      bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    plan_id         bigint NOT NULL REFERENCES plan,
    status          text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'CANCELLED', 'EXPIRED')),
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    confirmed_at    timestamptz,                             -- of a free plan: by the link in the mail (SQ16)
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX plan_membership_external_key ON plan_membership (external_source, external_id);
CREATE INDEX plan_membership_of_contact ON plan_membership (contact_id, started_at, id);

CREATE TABLE confirmation (                                  -- a link by which somebody says: yes, it was me                cf
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    submission_id      bigint REFERENCES form_submission ON DELETE CASCADE,
    plan_membership_id bigint REFERENCES plan_membership ON DELETE CASCADE,
    list_ids           bigint[] NOT NULL DEFAULT '{}',       -- the lists it is about
    marketing          boolean NOT NULL DEFAULT FALSE,       -- … and the box
    created_at         timestamptz NOT NULL,
    sent_at            timestamptz,                          -- handed to the mail server, at most once
    confirmed_at       timestamptz,
    CHECK (num_nonnulls(submission_id, plan_membership_id) = 1)
);
CREATE INDEX confirmation_of_submission ON confirmation (submission_id) WHERE submission_id IS NOT NULL;
CREATE INDEX confirmation_of_plan ON confirmation (plan_membership_id) WHERE plan_membership_id IS NOT NULL;
CREATE INDEX confirmation_to_send ON confirmation (created_at) WHERE sent_at IS NULL;
CREATE INDEX form_submission_to_tell ON form_submission (id) WHERE notify <> '{}';

CREATE TABLE review (                                        --                                                              re
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    external_source text NOT NULL DEFAULT '',
    external_id     text NOT NULL,
    contact_id      bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    rating          integer CHECK (rating BETWEEN 1 AND 5),
    text            text,
    product         text,
    written_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX review_external_key ON review (external_source, external_id);
CREATE INDEX review_of_contact ON review (contact_id, id);

CREATE TABLE contact_total (                                 -- kept true by the verbs that record; no row: never bought or gave   tt
    contact_id     bigint PRIMARY KEY REFERENCES contact ON DELETE CASCADE,
    total_spent    numeric,                                  -- NULL without an order (3.3)
    order_count    integer NOT NULL DEFAULT 0,
    first_order_at timestamptz,
    last_order_at  timestamptz,
    total_given    numeric,
    gift_count     integer NOT NULL DEFAULT 0,
    first_gift_at  timestamptz,
    last_gift_at   timestamptz,
    member_since   timestamptz
);
CREATE INDEX contact_total_spent ON contact_total (total_spent, contact_id) WHERE total_spent IS NOT NULL;
CREATE INDEX contact_total_last_order ON contact_total (last_order_at, contact_id) WHERE last_order_at IS NOT NULL;

------------------------------------------------------------------------------------------------------- tasks and merging

ALTER TABLE task
    ADD COLUMN alert_at             timestamptz,             -- an instant of its own …
    ADD COLUMN alert_before_minutes integer CHECK (alert_before_minutes >= 0),    -- … or so long before it is due (Q23)
    ADD COLUMN alerts_at            timestamptz,             -- the instant that follows from these two; verbs keep it
    ADD COLUMN alerted_at           timestamptz,             -- the latest alert that was sent, by its instant
    ADD COLUMN completion_started_at timestamptz;            -- the on-complete automation starts once a task (Q19)
CREATE INDEX task_by_alert ON task (alerts_at, id) WHERE status = 'INCOMPLETE' AND alerts_at IS NOT NULL AND alerted_at IS NULL;

CREATE TABLE contact_merge (                                 -- what a merge did, for thirty days of taking it back           cm
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kept_id    bigint REFERENCES contact ON DELETE CASCADE,
    gone_id    bigint NOT NULL,                              -- the id that the other contact had, and gets back
    before     jsonb NOT NULL,                               -- both contacts as they were, and which rows were moved
    user_id    bigint REFERENCES user_account ON DELETE SET NULL,
    merged_at  timestamptz NOT NULL,
    undone_at  timestamptz
);
CREATE INDEX contact_merge_of ON contact_merge (kept_id) WHERE undone_at IS NULL;
