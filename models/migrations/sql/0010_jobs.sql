-- Jobs: long work on sets of contacts, with progress.
SELECT 1;
