-- Webhooks, reports and notifications.
SELECT 1;
