-- Foreign keys by the set. Two tables get hundreds of thousands of rows in one statement, and a foreign key looks up every
-- row by itself: half the price of a tag. Here the statement looks all of them up at once, with the same locks and the
-- same refusal. The constraints stay declared, for people and for whoever reads the catalogue.

ALTER TABLE contact_tag ALTER CONSTRAINT contact_tag_contact_id_fkey NOT ENFORCED;
ALTER TABLE contact_tag ALTER CONSTRAINT contact_tag_tag_id_fkey NOT ENFORCED;
ALTER TABLE run ALTER CONSTRAINT run_contact_id_fkey NOT ENFORCED;
ALTER TABLE run ALTER CONSTRAINT run_automation_id_fkey NOT ENFORCED;
ALTER TABLE run ALTER CONSTRAINT run_version_id_fkey NOT ENFORCED;

-- Nobody can delete these before the transaction ends; whoever is deleted already is missed.
CREATE FUNCTION contacts_stand(wanted bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found bigint;
BEGIN
    SELECT count(*) INTO found
    FROM (SELECT c.id FROM contact c WHERE c.id = ANY(wanted) ORDER BY c.id FOR KEY SHARE) AS held;
    IF found < cardinality(wanted) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a contact is not there';
    END IF;
END $$;

CREATE FUNCTION contact_tag_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint[] := ARRAY(SELECT DISTINCT made.tag_id FROM made);
BEGIN
    PERFORM contacts_stand(ARRAY(SELECT DISTINCT made.contact_id FROM made));
    PERFORM t.id FROM tag t WHERE t.id = ANY(wanted) ORDER BY t.id FOR KEY SHARE;
    IF (SELECT count(*) FROM tag t WHERE t.id = ANY(wanted)) < cardinality(wanted) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a tag is not there';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_tag_stands AFTER INSERT ON contact_tag REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION contact_tag_stands();

CREATE FUNCTION run_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM contacts_stand(ARRAY(SELECT DISTINCT made.contact_id FROM made));
    IF EXISTS (
        SELECT
        FROM (SELECT DISTINCT made.version_id, made.automation_id FROM made) AS came
        LEFT JOIN automation_version av ON av.id = came.version_id AND av.automation_id = came.automation_id
        WHERE av.id IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an automation is not there';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER run_stands AFTER INSERT ON run REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION run_stands();

-- What goes takes its own along.
CREATE FUNCTION contact_takes_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM contact_tag ct USING gone WHERE ct.contact_id = gone.id;
    DELETE FROM run r USING gone WHERE r.contact_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_takes_along AFTER DELETE ON contact REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION contact_takes_along();

CREATE FUNCTION tag_takes_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM contact_tag ct USING gone WHERE ct.tag_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER tag_takes_along AFTER DELETE ON tag REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tag_takes_along();

CREATE FUNCTION automation_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM run r JOIN gone ON gone.id = r.automation_id) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an automation that somebody was in stays';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER automation_stays AFTER DELETE ON automation REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION automation_stays();
