-- Campaigns: one message to many.
SELECT 1;
