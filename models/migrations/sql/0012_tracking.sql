-- What contacts do on websites and in apps.
SELECT 1;
