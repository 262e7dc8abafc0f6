-- no-transaction
-- The threads of a session and the credentials of a vault.
CREATE INDEX CONCURRENTLY resources_parent ON resources (parent_id, resource_type) WHERE parent_id IS NOT NULL;
