-- Scores: points for what contacts are and do.

CREATE TABLE score (                                         --                                                               so
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    description text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX score_name_key ON score (lower(name));

CREATE TABLE score_rule (                                    -- who meets it has these points                                 sr
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    score_id      bigint NOT NULL REFERENCES score ON DELETE CASCADE,
    position      integer NOT NULL,
    label         text NOT NULL,
    condition     jsonb NOT NULL,                            -- a ConditionInput as it was given
    points        integer NOT NULL,
    expires_after jsonb,                                     -- {"days": 30}: the points are gone so long after they came
    mode          text NOT NULL DEFAULT 'STICKY' CHECK (mode IN ('STICKY', 'LIVE')),
    revision      integer NOT NULL DEFAULT 0,                -- how often what it asks was changed
    settled_to    bigint,                                    -- what it gave before a change is brought up to date, up to this contact;
    removed_at    timestamptz,                               -- NULL: all of it
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE INDEX score_rule_of_score ON score_rule (score_id, position);
CREATE INDEX score_rule_unsettled ON score_rule (id) WHERE settled_to IS NOT NULL;

CREATE TABLE score_award (                                   -- points that somebody has, and why                             sa
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    score_id   bigint NOT NULL REFERENCES score ON DELETE CASCADE,
    rule_id    bigint REFERENCES score_rule ON DELETE CASCADE,           -- NULL: by hand, or by an automation
    points     bigint NOT NULL,
    at         timestamptz NOT NULL,
    expires_at timestamptz,
    expired    boolean NOT NULL DEFAULT FALSE,               -- counts no more, and is kept so that the rule counts once
    revision   integer NOT NULL DEFAULT 0,                   -- of the rule, when it was last seen to be met
    UNIQUE (rule_id, contact_id)
);
CREATE INDEX score_award_of_contact ON score_award (contact_id, score_id);
CREATE INDEX score_award_of_score ON score_award (score_id);
CREATE INDEX score_award_due ON score_award (expires_at) WHERE NOT expired AND expires_at IS NOT NULL;

CREATE TABLE contact_score (                                 -- the sum of the awards that count; no row: 0                   cs
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    score_id   bigint NOT NULL REFERENCES score ON DELETE CASCADE,
    total      bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (contact_id, score_id)
);
CREATE INDEX contact_score_by_total ON contact_score (score_id, total, contact_id);
SELECT touches_contacts('contact_score');
