-- Who is in the rules that are watched, and when time alone may change that.
SELECT 1;
