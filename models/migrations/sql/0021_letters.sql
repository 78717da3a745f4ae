-- A letter that the mail server does not take for now, or that finds it away, goes later.

ALTER TABLE confirmation ADD COLUMN put_off_until timestamptz;
ALTER TABLE form_submission ADD COLUMN put_off_until timestamptz;  -- telling the team of it
