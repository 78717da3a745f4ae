-- Looking for contacts, saved views, and the regions people are in.

----------------------------------------------------------------------------------------------------------------- search

-- A part of a name or of an address (AC20), found by its trigrams. The names are joined as `full_name` has them; between
-- them and the address stands what is in neither. A trusted extension: the owner of the database may make it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE FUNCTION search_text(full_name text, email text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(coalesce(full_name, '') || E'\x01' || coalesce(email, ''));
-- New entries wait in a short list, so that contacts are written as fast as before.
CREATE INDEX contact_by_search ON contact USING gin (search_text(full_name, email) gin_trgm_ops)
    WITH (fastupdate = on, gin_pending_list_limit = 1024);
-- How many a term will find decides the way: along a sort, or by the index.
ALTER INDEX contact_by_search ALTER COLUMN 1 SET STATISTICS 1000;

------------------------------------------------------------------------------------------------------------------- sorts

-- Who has no value stands behind all who have one: the pages of those are read in the order of their ids.
CREATE INDEX company_by_name ON company (sort_text(name) COLLATE "C", id);
-- Several options are sorted by their words.
UPDATE field_value v
SET text_value = (
    SELECT string_agg(w.option, ', ' ORDER BY w.place)
    FROM jsonb_array_elements_text(v.value) WITH ORDINALITY AS w (option, place)
)
FROM field f
WHERE f.id = v.field_id
  AND f.type IN ('LISTBOX', 'CHECKBOX')
  AND jsonb_typeof(v.value) = 'array';

------------------------------------------------------------------------------------------------------------------- views

CREATE TABLE saved_view (                                    -- what a page of contacts shows: AC19, AC22, HS6               vw
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    columns     jsonb NOT NULL,                              -- [{"by": "EMAIL"}, {"by": "FIELD", "fieldName": "country"}, …]
    condition   jsonb,                                       -- a ConditionInput as it was given; NULL: everybody
    search      text,
    sort        jsonb NOT NULL DEFAULT '[]',                 -- as ContactSortInput
    shared      boolean NOT NULL DEFAULT FALSE,              -- everybody sees it; only who made it changes it
    user_id     bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX saved_view_name_key ON saved_view (user_id, lower(name));
CREATE INDEX saved_view_shared ON saved_view (lower(name), id) WHERE shared;

------------------------------------------------------------------------------------------------------ zones and sentences

-- In which zones contacts are: each is found by one look.
CREATE INDEX contact_by_timezone ON contact (timezone) WHERE timezone IS NOT NULL;

-- What a contact has, as a sentence says it: `blank`, `43.62`, `2026-03-29 21:30 UTC`, `vip, gold`, `News ACTIVE`.
CREATE FUNCTION in_words(jsonb) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE
        WHEN $1 IS NULL OR $1 IN ('null', '""') THEN 'blank'
        WHEN jsonb_typeof($1) = 'array' THEN (
            SELECT coalesce(
                string_agg(
                    CASE jsonb_typeof(w.item)
                        WHEN 'object' THEN (SELECT string_agg(part.value, ' ' ORDER BY part.key) FROM jsonb_each_text(w.item) part)
                        ELSE w.item #>> '{}'
                    END,
                    ', ' ORDER BY w.place
                ),
                'none'
            )
            FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END) WITH ORDINALITY AS w (item, place)
        )
        WHEN jsonb_typeof($1) = 'string' AND $1 #>> '{}' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+]00:00$'
            THEN to_char(($1 #>> '{}')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
        ELSE $1 #>> '{}'
    END;
