-- Who is in the rules that are watched, and when time alone may change that.

CREATE TABLE watch (                                         -- a rule whose members are kept: of a segment, a list, a score  wt
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL,                                -- the file in services/watchers/
    subject_id bigint NOT NULL,                              -- the segment, the list or the rule of a score
    rule       text,                                         -- what the members were found by; another one is a new look at all
    waits_for  bigint,                                       -- transactions before this one may have left nothing on the pile
    scanned_to bigint,                                       -- contacts above this id are still to be looked at; NULL: none
    settled_at timestamptz,                                  -- when all had been looked at once: before, nobody "comes in"
    ended_at   timestamptz,                                  -- nobody needs it any more: its members go, then it does
    failed_at  timestamptz,                                  -- it could not be asked: it rests for a while, then looks at all anew
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX watch_key ON watch (kind, subject_id) WHERE ended_at IS NULL;

CREATE TABLE watch_member (                                  --                                                              wm
    watch_id   bigint NOT NULL REFERENCES watch ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    PRIMARY KEY (watch_id, contact_id)
);
CREATE INDEX watch_member_of_contact ON watch_member (contact_id, watch_id);

CREATE TABLE watch_flip (                                    -- at the latest then a contact is looked at again              wf
    contact_id bigint PRIMARY KEY REFERENCES contact ON DELETE CASCADE,
    flips_at   timestamptz NOT NULL
);
CREATE INDEX watch_flip_due ON watch_flip (flips_at, contact_id);

CREATE TABLE watch_lease (                                   -- a segment that somebody looks at live
    segment_id bigint PRIMARY KEY REFERENCES segment ON DELETE CASCADE,
    until      timestamptz NOT NULL
);

-- The pile of contacts about whom something changed that a rule can see. The tables themselves put them there, in the
-- transaction of the change, so that no verb can forget to; while nothing is watched, nobody does.
CREATE TABLE touched_contact (                               --                                                              tc
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id bigint NOT NULL
);

CREATE FUNCTION touch_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM watch) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO touched_contact (contact_id)
        SELECT changed.contact_id FROM changed WHERE changed.contact_id IS NOT NULL
        UNION
        SELECT before.contact_id FROM before WHERE before.contact_id IS NOT NULL;
    ELSE
        INSERT INTO touched_contact (contact_id)
        SELECT DISTINCT changed.contact_id FROM changed WHERE changed.contact_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

-- Rules can ask about the rows of this table, which have a contact_id.
CREATE FUNCTION touches_contacts(rows_of regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER touches_new AFTER INSERT ON %s REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION touch_contacts()', rows_of);
    EXECUTE format(
        'CREATE TRIGGER touches_changed AFTER UPDATE ON %s REFERENCING NEW TABLE AS changed OLD TABLE AS before
            FOR EACH STATEMENT EXECUTE FUNCTION touch_contacts()', rows_of);
    EXECUTE format(
        'CREATE TRIGGER touches_gone AFTER DELETE ON %s REFERENCING OLD TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION touch_contacts()', rows_of);
END $$;

SELECT touches_contacts('field_value');
SELECT touches_contacts('contact_tag');
SELECT touches_contacts('membership');
SELECT touches_contacts('contact_total');
SELECT touches_contacts('plan_membership');
SELECT touches_contacts('form_submission');
SELECT touches_contacts('task');
SELECT touches_contacts('email_send');
SELECT touches_contacts('email_event');

-- The record itself; one that is deleted takes everything with it.
CREATE FUNCTION touch_themselves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM watch) THEN
        INSERT INTO touched_contact (contact_id) SELECT changed.id FROM changed;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER touches_new AFTER INSERT ON contact REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION touch_themselves();
CREATE TRIGGER touches_changed AFTER UPDATE ON contact REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION touch_themselves();

-- Of runs only how they begin, end and change hands: they move far too often.
CREATE FUNCTION touch_runners() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM watch) THEN
        INSERT INTO touched_contact (contact_id)
        SELECT w.contact_id
        FROM changed
        JOIN before USING (id)
        CROSS JOIN LATERAL (VALUES (changed.contact_id), (before.contact_id)) AS w (contact_id)
        WHERE changed.end_reason IS DISTINCT FROM before.end_reason
           OR changed.contact_id <> before.contact_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER touches_new AFTER INSERT ON run REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION touch_contacts();
CREATE TRIGGER touches_changed AFTER UPDATE ON run REFERENCING NEW TABLE AS changed OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION touch_runners();
CREATE TRIGGER touches_gone AFTER DELETE ON run REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION touch_contacts();

-- Of facts only those that rules ask about: goals that were met.
CREATE INDEX event_of_goals ON event (subject, contact_id) WHERE kind = 'GOAL_REACHED';

CREATE FUNCTION touch_achievers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM watch) THEN
        INSERT INTO touched_contact (contact_id)
        SELECT DISTINCT changed.contact_id FROM changed WHERE changed.kind = 'GOAL_REACHED';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER touches_new AFTER INSERT ON event REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION touch_achievers();

-- What rules know by its name, and contacts by its id.
CREATE FUNCTION touch_tagged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM watch) AND OLD.name <> NEW.name THEN
        INSERT INTO touched_contact (contact_id) SELECT ct.contact_id FROM contact_tag ct WHERE ct.tag_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER touches_renamed AFTER UPDATE OF name ON tag FOR EACH ROW EXECUTE FUNCTION touch_tagged();

CREATE FUNCTION touch_employed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM watch) AND OLD.name <> NEW.name THEN
        INSERT INTO touched_contact (contact_id) SELECT c.id FROM contact c WHERE c.company_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER touches_renamed AFTER UPDATE OF name ON company FOR EACH ROW EXECUTE FUNCTION touch_employed();

---------------------------------------------------------------------------------------------------------------------- lists

ALTER TABLE contact_list
    DROP CONSTRAINT contact_list_kind_check,
    ADD CONSTRAINT contact_list_kind_check CHECK (kind IN ('MAILING', 'STATIC', 'SMART')),
    ADD COLUMN condition jsonb,                              -- of a SMART one: who is on it, as a ConditionInput
    ADD CONSTRAINT contact_list_condition_check CHECK ((kind = 'SMART') = (condition IS NOT NULL));
