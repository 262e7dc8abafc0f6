-- no-transaction
-- What is at work as far as we know, and is compared with the API however old it is.
CREATE INDEX CONCURRENTLY resources_unfinished ON resources (resource_type, resource_id)
    WHERE status IN ('running', 'rescheduling', 'started');
