-- Who runs the account is told when a campaign goes wrong (trust M5).

ALTER TABLE notification
    DROP CONSTRAINT notification_kind_check,
    ADD CONSTRAINT notification_kind_check CHECK (
        kind IN (
            'TASK_ASSIGNED', 'TASK_ALERT', 'FORM_SUBMITTED', 'WEBHOOK_PAUSED', 'JOB_FINISHED', 'CAMPAIGN_WARNING',
            'CAMPAIGN_PAUSED'
        )
    );
CREATE INDEX notification_of_campaign ON notification (subject) WHERE kind = 'CAMPAIGN_WARNING';
