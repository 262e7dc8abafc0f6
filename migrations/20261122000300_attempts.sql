-- Failed tries, and replays of dead letters.

CREATE TABLE attempts (
    event      bigint NOT NULL REFERENCES events (id),
    generation integer NOT NULL CHECK (generation >= 1),
    number     integer NOT NULL CHECK (number >= 1),
    started_at timestamptz NOT NULL,
    failed_at  timestamptz NOT NULL CHECK (failed_at >= started_at),
    class      text NOT NULL
        CHECK (class IN ('transient', 'throttled', 'configuration', 'gone', 'permanent', 'bug')),
    error      text NOT NULL,
    request_id text,
    worker     text NOT NULL,
    PRIMARY KEY (event, generation, number)
);

COMMENT ON TABLE attempts IS 'Each failed try of an event. A try that succeeds is seen from the event''s status.';
COMMENT ON COLUMN attempts.number IS 'First, second, third try of the generation.';
COMMENT ON COLUMN attempts.error IS 'The whole chain of causes.';
COMMENT ON COLUMN attempts.request_id IS 'The API''s id of the request that failed.';
COMMENT ON COLUMN attempts.worker IS 'Name of the worker process.';

CREATE TABLE replays (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    selection   jsonb NOT NULL,
    total       bigint NOT NULL CHECK (total >= 0),
    replayed    bigint NOT NULL DEFAULT 0 CHECK (replayed >= 0),
    status      text NOT NULL CHECK (status IN ('running', 'finished', 'cancelled'))
);

COMMENT ON TABLE replays IS 'One row per dlq replay command: its progress survives the command.';
COMMENT ON COLUMN replays.selection IS 'Which dead letters it takes: those that match and died before started_at.';
COMMENT ON COLUMN replays.total IS 'How many matched at the start.';
COMMENT ON COLUMN replays.replayed IS 'How many have been given new tries so far.';
