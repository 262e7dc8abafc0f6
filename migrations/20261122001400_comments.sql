-- Comments that the files before this one have left out.

COMMENT ON COLUMN alert_deliveries.alert IS 'alerts.id of what the sink is told of.';
COMMENT ON COLUMN alert_deliveries.phase IS 'raised or resolved: which of the two the sink is told.';
COMMENT ON COLUMN alert_deliveries.delivered_at IS 'When the sink took it; null while it was not told.';
COMMENT ON COLUMN alerts.title IS 'What a person reads first, one line.';
COMMENT ON COLUMN alerts.raised_at IS 'When it was raised first.';
COMMENT ON COLUMN alerts.last_raised_at IS 'When it was last raised again while it was open.';
COMMENT ON COLUMN alerts.resolved_at IS 'When it was over, by itself or by a person; null while it is open.';
COMMENT ON COLUMN endpoint_health.written_at IS 'When the process last wrote this row.';
COMMENT ON COLUMN endpoint_health.successes IS 'Deliveries answered 2xx since the process began.';
COMMENT ON COLUMN endpoint_health.failures IS 'Deliveries answered otherwise since the process began.';
COMMENT ON COLUMN endpoint_health.last_success_at IS 'When a delivery was last answered 2xx.';
COMMENT ON COLUMN endpoint_health.last_failure_at IS 'When a delivery was last answered otherwise.';
COMMENT ON COLUMN transcript_parts.session_id IS 'The session whose transcript it is a part of.';
COMMENT ON COLUMN transcript_parts.position IS 'Which list: 0 the session''s own, then its child threads in the order of the API.';
COMMENT ON COLUMN transcript_parts.thread_id IS 'The child thread whose list it is; null for the session''s own.';
COMMENT ON COLUMN transcript_parts.events IS 'Events in the part.';
COMMENT ON COLUMN transcripts.session_id IS 'The session that is over.';
COMMENT ON COLUMN transcripts.complete IS 'Whether every list was read to its end.';
COMMENT ON COLUMN transcripts.events IS 'Events of all lists together.';
COMMENT ON COLUMN transcripts.stored_bytes IS 'Bytes as stored, compressed.';
