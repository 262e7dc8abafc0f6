-- The columns of passes that were not explained.

COMMENT ON COLUMN reconcile_passes.ended_at IS 'When it had compared everything. Null: it is under way, or was interrupted.';
COMMENT ON COLUMN reconcile_seen.pass IS 'reconcile_passes.id of the pass.';
