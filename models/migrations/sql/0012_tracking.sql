-- What contacts do on websites and in apps, and where they are.

CREATE TABLE site (                                          -- a website or an app that may tell us                          st
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    key        text NOT NULL,                                -- public: it stands in the pages
    origins    text[] NOT NULL DEFAULT '{}',                 -- from where browsers may tell; empty: from anywhere
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX site_name_key ON site (lower(name));
CREATE UNIQUE INDEX site_key_key ON site (key);

CREATE TABLE visitor (                                       -- a browser, by a number that it made up itself                 vi
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token      uuid NOT NULL UNIQUE,
    contact_id bigint REFERENCES contact ON DELETE CASCADE,  -- NULL: nobody knows whose
    seen_at    timestamptz NOT NULL
);
CREATE INDEX visitor_of_contact ON visitor (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX visitor_unknown ON visitor (seen_at) WHERE contact_id IS NULL;

CREATE TABLE page_visit (                                    --                                                               pv
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id      bigint,                                     -- which told it; it may be gone by now
    visitor_id   bigint REFERENCES visitor ON DELETE SET NULL,
    contact_id   bigint REFERENCES contact ON DELETE CASCADE,
    at           timestamptz NOT NULL,
    url          text NOT NULL,                              -- https://shop.test/pricing: without query, as people read it
    path         text NOT NULL,                              -- /pricing
    query        text,                                       -- colour=red: without what tells where the visit came from
    title        text,
    referrer     text,
    utm_source   text,
    utm_medium   text,
    utm_campaign text,
    utm_term     text,
    utm_content  text,
    device       text CHECK (device IN ('DESKTOP', 'MOBILE', 'TABLET')),
    browser      text,
    country      text,
    region       text,
    city         text,
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX page_visit_of_contact ON page_visit (contact_id, at) WHERE contact_id IS NOT NULL;
CREATE INDEX page_visit_of_path ON page_visit (lower(path) COLLATE "C", contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX page_visit_of_visitor ON page_visit (visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX page_visit_unknown ON page_visit (at) WHERE contact_id IS NULL;

-- The addresses that rules and triggers mean: `/pricing` of any site, `shop.test/blog/*`, `https://shop.test/?page=*`.
-- `*` is anything; case and a slash at the end do not count, nor does the query where there is no `?`.
CREATE FUNCTION page_pattern(wanted text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN replace(replace(replace(replace(
        lower(CASE WHEN wanted = '/' THEN wanted ELSE rtrim(wanted, '/') END), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%');
CREATE FUNCTION page_matches(url text, path text, query text, wanted text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN strpos(wanted, '?') > 0 THEN lower(
            CASE WHEN starts_with(wanted, '/') THEN path WHEN strpos(wanted, '://') > 0 THEN url ELSE split_part(url, '://', 2) END
                || coalesce('?' || query, '')
        ) COLLATE "C" LIKE page_pattern(wanted)
        WHEN starts_with(wanted, '/') THEN lower(path) COLLATE "C" LIKE page_pattern(wanted)
        WHEN strpos(wanted, '://') > 0 THEN lower(url) COLLATE "C" LIKE page_pattern(wanted)
        ELSE lower(split_part(url, '://', 2)) COLLATE "C" LIKE page_pattern(wanted)
    END;

CREATE TABLE tracked_event (                                 -- anything else that a site or an app tells: "Played a video"   te
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id      bigint,                                     -- which told it; it may be gone by now
    visitor_id   bigint REFERENCES visitor ON DELETE SET NULL,
    contact_id   bigint REFERENCES contact ON DELETE CASCADE,
    at           timestamptz NOT NULL,
    name         text NOT NULL,
    value        text,
    number_value numeric,                                    -- the value, where it was given as a number
    properties   jsonb,
    device       text CHECK (device IN ('DESKTOP', 'MOBILE', 'TABLET')),
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX tracked_event_of_contact ON tracked_event (contact_id, at) WHERE contact_id IS NOT NULL;
CREATE INDEX tracked_event_of_name ON tracked_event (lower(name), contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX tracked_event_of_visitor ON tracked_event (visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX tracked_event_unknown ON tracked_event (at) WHERE contact_id IS NULL;

CREATE TABLE first_visit (                                   -- from where a contact came: of its first visit                 fv
    contact_id   bigint PRIMARY KEY REFERENCES contact ON DELETE CASCADE,
    at           timestamptz NOT NULL,
    url          text NOT NULL,
    referrer     text,
    utm_source   text,
    utm_medium   text,
    utm_campaign text,
    utm_term     text,
    utm_content  text
);

-- Where the contact is: told by people, imports and programs, else by the latest visit.
ALTER TABLE contact
    ADD COLUMN country text CHECK (country ~ '^[A-Z]{2}$'),
    ADD COLUMN region text,
    ADD COLUMN city text,
    ADD COLUMN postal_code text,
    ADD COLUMN location_told boolean NOT NULL DEFAULT FALSE;

-- A browser is known from now on by what it sent: when the contact follows the link in a mail.
ALTER TABLE form_submission ADD COLUMN visitor uuid;

SELECT touches_contacts('page_visit');
SELECT touches_contacts('tracked_event');
SELECT touches_contacts('first_visit');
