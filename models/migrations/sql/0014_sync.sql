-- Sources that contacts and orders are kept in step with.
SELECT 1;
