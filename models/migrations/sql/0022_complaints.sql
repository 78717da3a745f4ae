-- Automations whose e-mails are called spam stop by themselves (trust M5).

ALTER TABLE automation
    ADD COLUMN stopped_by text CHECK (stopped_by IN ('COMPLAINTS')),  -- why it stopped by itself; its e-mails are held
    ADD COLUMN warned_at  timestamptz;                       -- when the team was last warned that it might

-- Automations of which an e-mail was called spam, and that nobody has looked at since.
CREATE TABLE complaint (                                     --                                                              cn
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    automation_id bigint NOT NULL
);

-- How many e-mails an automation has sent since an instant, and how many of these were called spam.
CREATE INDEX email_send_since ON email_send (automation_id, sent_at) WHERE automation_id IS NOT NULL;
CREATE INDEX email_send_complained ON email_send (automation_id, sent_at)
    WHERE complained_at IS NOT NULL AND automation_id IS NOT NULL;

ALTER TABLE notification
    DROP CONSTRAINT notification_kind_check,
    ADD CONSTRAINT notification_kind_check CHECK (
        kind IN (
            'TASK_ASSIGNED', 'TASK_ALERT', 'FORM_SUBMITTED', 'WEBHOOK_PAUSED', 'JOB_FINISHED', 'CAMPAIGN_WARNING',
            'CAMPAIGN_PAUSED', 'AUTOMATION_WARNING', 'AUTOMATION_PAUSED'
        )
    );
