-- E-mails that were sent to contacts, what came of them, and engagement.
SELECT 1;
