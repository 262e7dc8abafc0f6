-- no-transaction
-- dlq stats, and dlq list by what is rare: answered from the index, however far apart the dead letters lie in the table.
CREATE INDEX CONCURRENTLY events_dead_kinds ON events (event_type, error_class, endpoint, resource_id, dead_at)
    WHERE status = 'dead';
