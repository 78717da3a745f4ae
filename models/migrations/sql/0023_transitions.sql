-- Triggers that compare rows as they were with what they are now, whatever their number.

-- A connection plans what a trigger does once, for as many rows as it had the first time: after a single row, ten thousand
-- were compared each with each, twenty seconds long. A hash costs one row nothing.
ALTER FUNCTION membership_remembers() SET enable_nestloop = off;
ALTER FUNCTION count_emails_changed() SET enable_nestloop = off;
ALTER FUNCTION touch_runners() SET enable_nestloop = off;
