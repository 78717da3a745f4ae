-- What many contacts at once cost beside the rows themselves: looked up by the set, or only where somebody needs it.

------------------------------------------------------------------------------------------------ foreign keys by the set

-- As in 0016: the statement looks up all that its rows point at, with the same locks and the same refusal. Rows that
-- come to point elsewhere are looked up one by one, as before: few do.
ALTER TABLE field_value ALTER CONSTRAINT field_value_contact_id_fkey NOT ENFORCED;
ALTER TABLE field_value ALTER CONSTRAINT field_value_field_id_fkey NOT ENFORCED;
ALTER TABLE membership ALTER CONSTRAINT membership_contact_id_fkey NOT ENFORCED;
ALTER TABLE membership ALTER CONSTRAINT membership_list_id_fkey NOT ENFORCED;
ALTER TABLE membership ALTER CONSTRAINT membership_user_id_fkey NOT ENFORCED;
ALTER TABLE membership_change ALTER CONSTRAINT membership_change_membership_id_fkey NOT ENFORCED;
ALTER TABLE contact ALTER CONSTRAINT contact_company_id_fkey NOT ENFORCED;

DO $$
DECLARE
    spec record;
BEGIN
    FOR spec IN
        SELECT *
        FROM (
            VALUES
                ('companies_stand', 'company', 'a company is not there'),
                ('fields_stand', 'field', 'a field is not there'),
                ('lists_stand', 'contact_list', 'a list is not there'),
                ('memberships_stand', 'membership', 'a membership is not there'),
                ('users_stand', 'user_account', 'a user is not there')
        ) AS w (name, rows_of, message)
    LOOP
        EXECUTE format(
            $function$
            CREATE FUNCTION %I(wanted bigint[]) RETURNS void LANGUAGE plpgsql AS $body$
            DECLARE
                found bigint;
            BEGIN
                SELECT count(*) INTO found
                FROM (SELECT w.id FROM %I w WHERE w.id = ANY(wanted) ORDER BY w.id FOR KEY SHARE) AS held;
                IF found < cardinality(wanted) THEN
                    RAISE foreign_key_violation USING MESSAGE = %L;
                END IF;
            END $body$
            $function$,
            spec.name, spec.rows_of, spec.message
        );
    END LOOP;
END $$;

CREATE FUNCTION field_value_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM contacts_stand(ARRAY[NEW.contact_id]), fields_stand(ARRAY[NEW.field_id]);
    ELSE
        PERFORM contacts_stand(ARRAY(SELECT DISTINCT made.contact_id FROM made)),
                fields_stand(ARRAY(SELECT DISTINCT made.field_id FROM made));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER field_value_stands AFTER INSERT ON field_value REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION field_value_stands();
CREATE TRIGGER field_value_moves AFTER UPDATE OF contact_id, field_id ON field_value
    FOR EACH ROW WHEN (OLD.contact_id <> NEW.contact_id OR OLD.field_id <> NEW.field_id)
    EXECUTE FUNCTION field_value_stands();

CREATE FUNCTION membership_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM contacts_stand(ARRAY[NEW.contact_id]), lists_stand(ARRAY[NEW.list_id]),
                users_stand(array_remove(ARRAY[NEW.user_id], NULL));
    ELSE
        PERFORM contacts_stand(ARRAY(SELECT DISTINCT made.contact_id FROM made)),
                lists_stand(ARRAY(SELECT DISTINCT made.list_id FROM made)),
                users_stand(ARRAY(SELECT DISTINCT made.user_id FROM made WHERE made.user_id IS NOT NULL));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER membership_stands AFTER INSERT ON membership REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION membership_stands();
CREATE TRIGGER membership_moves AFTER UPDATE OF contact_id, list_id, user_id ON membership
    FOR EACH ROW WHEN (OLD.contact_id <> NEW.contact_id OR OLD.list_id <> NEW.list_id OR OLD.user_id IS DISTINCT FROM NEW.user_id)
    EXECUTE FUNCTION membership_stands();

-- The history that a membership writes itself stands beside a row that was written in the same statement.
CREATE FUNCTION membership_change_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM memberships_stand(ARRAY[NEW.membership_id]);
    ELSE
        PERFORM memberships_stand(ARRAY(SELECT DISTINCT made.membership_id FROM made));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER membership_change_stands AFTER INSERT ON membership_change REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION membership_change_stands();
CREATE TRIGGER membership_change_moves AFTER UPDATE OF membership_id ON membership_change
    FOR EACH ROW WHEN (OLD.membership_id <> NEW.membership_id) EXECUTE FUNCTION membership_change_stands();

CREATE FUNCTION company_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM companies_stand(ARRAY[NEW.company_id]);
    ELSE
        PERFORM companies_stand(ARRAY(SELECT DISTINCT made.company_id FROM made WHERE made.company_id IS NOT NULL));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER company_stands AFTER INSERT ON contact REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION company_stands();
CREATE TRIGGER company_changes AFTER UPDATE OF company_id ON contact
    FOR EACH ROW WHEN (OLD.company_id IS DISTINCT FROM NEW.company_id AND NEW.company_id IS NOT NULL)
    EXECUTE FUNCTION company_stands();

-- What goes takes its own along, or is forgotten.
CREATE OR REPLACE FUNCTION contact_takes_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM contact_tag ct USING gone WHERE ct.contact_id = gone.id;
    DELETE FROM run r USING gone WHERE r.contact_id = gone.id;
    DELETE FROM field_value v USING gone WHERE v.contact_id = gone.id;
    DELETE FROM membership m USING gone WHERE m.contact_id = gone.id;
    RETURN NULL;
END $$;

CREATE FUNCTION field_takes_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM field_value v USING gone WHERE v.field_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER field_takes_along AFTER DELETE ON field REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION field_takes_along();

CREATE FUNCTION list_takes_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM membership m USING gone WHERE m.list_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER list_takes_along AFTER DELETE ON contact_list REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION list_takes_along();

CREATE FUNCTION membership_takes_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM membership_change mc USING gone WHERE mc.membership_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER membership_takes_along AFTER DELETE ON membership REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION membership_takes_along();

CREATE FUNCTION user_is_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE membership m SET user_id = NULL FROM gone WHERE m.user_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER user_is_forgotten AFTER DELETE ON user_account REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION user_is_forgotten();

CREATE FUNCTION company_is_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contact c SET company_id = NULL FROM gone WHERE c.company_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER company_is_forgotten AFTER DELETE ON company REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION company_is_forgotten();

-- As in 0003, with the actor spelled out: a function of the whole row is called for every one.
CREATE OR REPLACE FUNCTION membership_remembers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO membership_change (membership_id, at, to_status, source, source_detail, form_id, actor)
        SELECT
            made.id, made.updated_at, made.status, made.source, made.source_detail, made.form_id,
            CASE WHEN made.user_id IS NOT NULL THEN 'user:' || made.user_id ELSE lower(coalesce(made.source, 'unknown')) END
        FROM made;
    ELSE
        INSERT INTO membership_change (membership_id, at, from_status, to_status, source, source_detail, form_id, actor)
        SELECT
            made.id, made.updated_at, before.status, made.status, made.source, made.source_detail, made.form_id,
            CASE WHEN made.user_id IS NOT NULL THEN 'user:' || made.user_id ELSE lower(coalesce(made.source, 'unknown')) END
        FROM made
        JOIN before ON before.id = made.id
        WHERE before.status <> made.status;
    END IF;
    RETURN NULL;
END $$;
DROP FUNCTION actor_of(membership);

---------------------------------------------------------------------------------------------------- erased and returned

-- Whether anybody is suppressed at all is asked once a statement, before its rows; for most accounts that is the end of it.
CREATE FUNCTION asks_for_suppressed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('parcours.suppressed', CASE WHEN EXISTS (SELECT FROM suppression) THEN 'some' ELSE 'nobody' END, TRUE);
    RETURN NULL;
END $$;
CREATE TRIGGER asks_for_suppressed BEFORE INSERT OR UPDATE OF status ON membership
    FOR EACH STATEMENT EXECUTE FUNCTION asks_for_suppressed();
CREATE TRIGGER asks_for_suppressed BEFORE INSERT OR UPDATE OF email, marketing_opt_in_at ON contact
    FOR EACH STATEMENT EXECUTE FUNCTION asks_for_suppressed();

DROP TRIGGER membership_suppression ON membership;
CREATE TRIGGER membership_suppression BEFORE INSERT OR UPDATE OF status ON membership
    FOR EACH ROW WHEN (NEW.status = 'ACTIVE' AND current_setting('parcours.suppressed', TRUE) IS DISTINCT FROM 'nobody')
    EXECUTE FUNCTION membership_stays_suppressed();
DROP TRIGGER contact_suppression ON contact;
CREATE TRIGGER contact_suppression BEFORE INSERT OR UPDATE OF email, marketing_opt_in_at ON contact
    FOR EACH ROW WHEN (NEW.email IS NOT NULL AND current_setting('parcours.suppressed', TRUE) IS DISTINCT FROM 'nobody')
    EXECUTE FUNCTION contact_stays_suppressed();

----------------------------------------------------------------------------------------------------------------- search

ALTER INDEX contact_by_search SET (gin_pending_list_limit = 4096);
