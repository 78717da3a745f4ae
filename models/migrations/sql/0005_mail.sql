-- Messages and deliveries: what leaves the house, and what became of it.
SELECT 1;
