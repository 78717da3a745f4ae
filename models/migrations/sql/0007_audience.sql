-- Looking for contacts, saved views, and the regions people are in.
SELECT 1;
