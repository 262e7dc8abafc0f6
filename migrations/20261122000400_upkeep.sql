-- What keeps the tables tidy by itself: one row per quarantined body, and when the dead letters were last gone through.

ALTER TABLE quarantine
    ADD COLUMN digest bytea,
    ADD COLUMN times bigint NOT NULL DEFAULT 1 CHECK (times >= 1);

COMMENT ON COLUMN quarantine.digest IS 'SHA-256 of the body. Null in rows that were written before this column was there.';
COMMENT ON COLUMN quarantine.times IS 'How often this body came.';

-- A body that comes again counts up the row of its first coming.
CREATE UNIQUE INDEX quarantine_once ON quarantine (endpoint, digest);

CREATE TABLE duties (
    name    text PRIMARY KEY,
    done_at timestamptz NOT NULL
);

COMMENT ON TABLE duties IS 'Duties that one process at a time does for all, now and then.';
COMMENT ON COLUMN duties.name IS 'settle: a whole pass over the dead letters.';
COMMENT ON COLUMN duties.done_at IS 'When it was last done to its end.';
