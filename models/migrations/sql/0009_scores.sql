-- Scores: points for what contacts are and do.
SELECT 1;
