-- First publishes of the events of one commit, in one row: a row per event in the outbox cost as much as the event.
CREATE TABLE bundles (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    events bigint[] NOT NULL,
    due_at timestamptz NOT NULL
);

COMMENT ON TABLE bundles IS 'Events that were accepted together and whose first publish is not confirmed yet. Retries, replays and dead letters are rows of outbox.';
COMMENT ON COLUMN bundles.events IS 'events.id of each.';
COMMENT ON COLUMN bundles.due_at IS 'Published no earlier by the relay; until then it is left to whoever accepted the events. Claiming moves it into the future by the length of the lease.';

CREATE INDEX bundles_due ON bundles (due_at);

-- Hardly any rows at a time, each gone within milliseconds: without this, vacuum would wait for far more dead rows
-- than there are live ones.
ALTER TABLE bundles SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
