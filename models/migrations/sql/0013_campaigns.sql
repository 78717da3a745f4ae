-- Campaigns: one message to many.

-- A campaign that others told of has no message here, and is SENT. Its lists and its segment are remembered even when they
-- are gone: nobody is in them then, and the campaign never goes to more people than it was meant for.
ALTER TABLE campaign
    ADD COLUMN status     text NOT NULL DEFAULT 'SENT'
        CHECK (status IN ('DRAFT', 'SCHEDULED', 'SENDING', 'PAUSED', 'SENT', 'CANCELLED')),
    ADD COLUMN message_id bigint REFERENCES message,
    ADD COLUMN list_ids   bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN segment_id bigint,
    ADD COLUMN audience   text NOT NULL DEFAULT 'EITHER' CHECK (audience IN ('EITHER', 'BOTH')),
    ADD COLUMN send_at    timestamptz,
    ADD COLUMN fixed_at   timestamptz,                       -- since then it is known to whom it goes
    ADD COLUMN ended_at   timestamptz,
    ADD COLUMN members    bigint NOT NULL DEFAULT 0,         -- who was in the audience then
    ADD COLUMN recipients bigint NOT NULL DEFAULT 0,         -- … and had a delivery made, so far
    ADD COLUMN skipped    jsonb NOT NULL DEFAULT '{}',       -- … and had not, counted by reason
    ADD COLUMN stopped_by text CHECK (stopped_by IN ('BOUNCES', 'COMPLAINTS')),      -- why it paused by itself
    ADD COLUMN trusted    boolean NOT NULL DEFAULT FALSE,    -- a person let it go on after that
    ADD CONSTRAINT campaign_written CHECK (message_id IS NOT NULL OR status = 'SENT');
CREATE INDEX campaign_at_work ON campaign (id) WHERE status IN ('SCHEDULED', 'SENDING');
CREATE INDEX campaign_of_message ON campaign (message_id) WHERE message_id IS NOT NULL;

-- Who is still to have a delivery. They are made some at a time, as those before go out: what others send meanwhile waits
-- for some, not for all, and a pause has few to hold back.
CREATE TABLE campaign_piece (                                --                                                              cw
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    number      bigint NOT NULL,
    by_lists    boolean NOT NULL,                            -- it goes by the lists of the campaign, else by any
    ids         bigint[] NOT NULL,
    PRIMARY KEY (campaign_id, by_lists, number)
);
ALTER TABLE campaign_piece ALTER COLUMN ids SET STORAGE EXTERNAL;

ALTER TABLE delivery ADD COLUMN left_at timestamptz;         -- the contact left by the link of this mail
CREATE INDEX delivery_of_campaign ON delivery (campaign_id, status, id) WHERE campaign_id IS NOT NULL;
CREATE INDEX delivery_left ON delivery (campaign_id) WHERE left_at IS NOT NULL AND campaign_id IS NOT NULL;

CREATE INDEX email_send_answered ON email_send (campaign_id) INCLUDE (clicked_at)
    WHERE opened_at IS NOT NULL AND campaign_id IS NOT NULL;
CREATE INDEX email_send_back ON email_send (campaign_id)
    WHERE (bounce IS NOT NULL OR complained_at IS NOT NULL) AND campaign_id IS NOT NULL;
