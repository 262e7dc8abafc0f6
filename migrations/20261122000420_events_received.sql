-- no-transaction
-- events list --since. Rows lie in the table about in the order of their receipt, so this index is tiny and next to free.
CREATE INDEX CONCURRENTLY events_received ON events USING brin (received_at) WITH (pages_per_range = 32);
