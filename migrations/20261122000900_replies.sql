-- Decisions that go back to the platform: each is an event of our own, and has a row here.

-- Wider than the constraint it replaces, so every row passes: 20261122000901 says so to Postgres without holding up
-- anybody.
ALTER TABLE events
    DROP CONSTRAINT events_source_check,
    ADD CONSTRAINT events_source_check CHECK (source IN ('webhook', 'queue', 'reconcile', 'reply')) NOT VALID;

COMMENT ON COLUMN events.source IS 'webhook: by delivery. queue: rebuilt from a broker message that was accepted without Postgres. reconcile: found by listing the API. reply: our own, a decision that is to be posted to the API.';

ALTER TABLE outbox
    DROP CONSTRAINT outbox_queue_check,
    ADD CONSTRAINT outbox_queue_check CHECK (queue IN ('work', 'dead', 'replies')) NOT VALID;

CREATE TABLE replies (
    event         bigint PRIMARY KEY REFERENCES events (id),
    effect        bigint NOT NULL REFERENCES effects (id),
    number        integer NOT NULL CHECK (number >= 1),
    session_id    text NOT NULL,
    tool_use_id   text NOT NULL,
    reply         jsonb NOT NULL,
    decided_by    text NOT NULL,
    decided_at    timestamptz NOT NULL,
    state         text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'posting', 'posted', 'elsewhere', 'obsolete', 'failed')),
    posting_by    text,
    posting_until timestamptz,
    maybe_posted  boolean NOT NULL DEFAULT false,
    CONSTRAINT replies_once UNIQUE (effect, number),
    CONSTRAINT replies_posting_has_lease
        CHECK ((state = 'posting') = (posting_by IS NOT NULL) AND (posting_by IS NULL) = (posting_until IS NULL))
) WITH (fillfactor = 85);

COMMENT ON TABLE replies IS 'Answers to tool uses that sessions wait for, as they are to be posted. Each belongs to an event of its own (source reply), which holds its tries.';
COMMENT ON COLUMN replies.effect IS 'The request for a decision that it answers.';
COMMENT ON COLUMN replies.number IS 'First, second, third decision on that request. A later one comes only after the earlier one came to nothing, and takes its place.';
COMMENT ON COLUMN replies.session_id IS 'The session it is posted to.';
COMMENT ON COLUMN replies.tool_use_id IS 'The session event that it answers.';
COMMENT ON COLUMN replies.reply IS 'The event as it is posted: user.tool_confirmation, user.custom_tool_result or user.tool_result.';
COMMENT ON COLUMN replies.decided_by IS 'Who or what decided.';
COMMENT ON COLUMN replies.decided_at IS 'When.';
COMMENT ON COLUMN replies.state IS 'queued: to be posted. posting: a worker looks at the session and posts it. posted: the platform has it. elsewhere: somebody else had answered. obsolete: the session does not wait for it any more. failed: its tries are used up, it is a dead letter.';
COMMENT ON COLUMN replies.posting_by IS 'Name of the worker process that posts it.';
COMMENT ON COLUMN replies.posting_until IS 'Until then nobody else does.';
COMMENT ON COLUMN replies.maybe_posted IS 'Whether an earlier POST of it may have been carried out although nobody heard of it.';

-- Replies that the broker has lost.
CREATE INDEX replies_open ON replies (event) WHERE state IN ('queued', 'posting');
