-- How many calls of the Claude API may still be made, shared by all workers of a stack.

CREATE TABLE api_budget (
    class        text PRIMARY KEY CHECK (class IN ('read', 'write')),
    tokens       double precision NOT NULL CHECK (tokens >= 0),
    refilled_at  timestamptz NOT NULL,
    paused_until timestamptz
);

COMMENT ON TABLE api_budget IS 'A bucket of tokens for each class of call: one token is one request. It fills continuously, at the rate that the workers are set to, up to the calls of one minute.';
COMMENT ON COLUMN api_budget.class IS 'read: retrieving and listing. write: everything that changes something.';
COMMENT ON COLUMN api_budget.tokens IS 'Tokens in the bucket at refilled_at.';
COMMENT ON COLUMN api_budget.refilled_at IS 'Up to when the filling is in tokens, by the clocks of the workers.';
COMMENT ON COLUMN api_budget.paused_until IS 'No token is given until then: the platform has answered 429 to one of the workers.';

-- Full at first: what has been empty for long is as full as it can be.
INSERT INTO api_budget (class, tokens, refilled_at) VALUES
    ('read', 0, '2000-01-01T00:00:00Z'),
    ('write', 0, '2000-01-01T00:00:00Z');
