-- The whole engine: goals, splits, pauses, refused entries.
SELECT 1;
