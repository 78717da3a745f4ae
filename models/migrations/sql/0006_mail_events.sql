-- E-mails that were sent to contacts, what came of them, and engagement.

CREATE TABLE campaign (                                      -- what e-mails are sent as one                                 cp
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL,
    external_source text NOT NULL DEFAULT '',                -- where it was sent from, if not from here
    external_id     text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX campaign_name_key ON campaign (lower(name));
CREATE UNIQUE INDEX campaign_external_key ON campaign (external_source, external_id) WHERE external_id IS NOT NULL;

-- One row an e-mail to one contact, whoever sent it. What it belongs to is history, and stays when that is deleted.
-- The instants below are the first human ones of what came of it; a click implies an open.
CREATE TABLE email_send (                                    --                                                              es
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key           text NOT NULL,                             -- its idempotent name: `delivery:123`, `external:<source>:<id>`
    contact_id    bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    message_id    bigint,
    campaign_id   bigint,
    automation_id bigint,
    step_id       bigint,
    origin        text NOT NULL CHECK (origin IN ('CAMPAIGN', 'AUTOMATION', 'PERSONAL', 'OTHER')),
    sent_at       timestamptz NOT NULL,
    opened_at     timestamptz,
    clicked_at    timestamptz,
    replied_at    timestamptz,
    forwarded_at  timestamptz,
    bounced_at    timestamptz,
    bounce        text CHECK (bounce IN ('SOFT', 'HARD')),
    complained_at timestamptz
);
CREATE UNIQUE INDEX email_send_key ON email_send (key);
CREATE INDEX email_send_of_contact ON email_send (contact_id, sent_at);
CREATE INDEX email_send_of_campaign ON email_send (campaign_id, contact_id) WHERE campaign_id IS NOT NULL;
CREATE INDEX email_send_of_message ON email_send (message_id, contact_id) WHERE message_id IS NOT NULL;
CREATE INDEX email_send_of_automation ON email_send (automation_id, contact_id) WHERE automation_id IS NOT NULL;

CREATE TABLE email_event (                                   -- what came of an e-mail; contact, campaign and message are its   ee
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    send_id     bigint NOT NULL REFERENCES email_send ON DELETE CASCADE,
    contact_id  bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    message_id  bigint,
    campaign_id bigint,
    kind        text NOT NULL CHECK (kind IN ('OPENED', 'CLICKED', 'REPLIED', 'FORWARDED', 'BOUNCED', 'COMPLAINED')),
    at          timestamptz NOT NULL,
    machine     boolean NOT NULL DEFAULT FALSE,              -- a scanner or a proxy did it: no sign of the person
    soft        boolean NOT NULL DEFAULT FALSE,              -- of a bounce: it may pass
    link        text,
    key         text                                         -- what the event is called outside
);
-- The same thing at the same instant is the same event, also when it is told again.
CREATE UNIQUE INDEX email_event_once ON email_event (send_id, kind, at, machine, soft, hashtextextended(coalesce(link, ''), 0));
CREATE UNIQUE INDEX email_event_key ON email_event (key) WHERE key IS NOT NULL;
CREATE INDEX email_event_of_contact ON email_event (contact_id, kind, at) INCLUDE (machine);  -- rules need no more
CREATE INDEX email_event_of_campaign ON email_event (campaign_id, kind, contact_id) WHERE campaign_id IS NOT NULL;
CREATE INDEX email_event_of_message ON email_event (message_id, kind, contact_id) WHERE message_id IS NOT NULL;

-- How the level of a contact came about (domain.md 4); no row: nothing was ever sent to it that counts.
-- The level itself and the one before it are columns of contact.
CREATE TABLE engagement (                                    --                                                              en
    contact_id  bigint PRIMARY KEY REFERENCES contact ON DELETE CASCADE,
    delivered   integer NOT NULL,
    engaged     integer NOT NULL,
    since       timestamptz,                                 -- when it came to its level; NULL: as long as we know it
    computed_at timestamptz NOT NULL,
    due_at      timestamptz                                  -- when time alone may change the level; NULL: never
);
CREATE INDEX engagement_due ON engagement (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE engagement_change (                             -- a level that a contact has had and left                      eh
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    level      text NOT NULL,
    since      timestamptz,                                  -- NULL: as long as we know it
    until      timestamptz NOT NULL
);
CREATE INDEX engagement_change_of_contact ON engagement_change (contact_id, id);

-- Most contacts of most accounts are none of these.
CREATE INDEX contact_by_engagement ON contact (engagement_level, id) WHERE engagement_level <> 'EVERYONE_ELSE';

-- Rules that changed are applied to everybody, in pieces by id, from here on; NULL: it is done.
ALTER TABLE account ADD COLUMN engagement_from bigint;
