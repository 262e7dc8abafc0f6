-- Tool uses that wait for an answer: what is asked, who answers, what was answered.

CREATE TABLE reviews (
    effect        bigint PRIMARY KEY REFERENCES effects (id),
    session_id    text NOT NULL,
    tool_use_id   text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('custom_tool_use', 'tool_use', 'mcp_tool_use')),
    tool          text NOT NULL,
    server        text,
    input         json NOT NULL,
    permission    text,
    thread_id     text,
    agent_id      text,
    agent_name    text,
    session_title text,
    context       json NOT NULL,
    asked_at      timestamptz,
    prepared_at   timestamptz NOT NULL,
    route         text NOT NULL CHECK (route IN ('person', 'allow', 'deny', 'executor')),
    because       text NOT NULL,
    executor      text,
    message       text,
    due_at        timestamptz,
    severity      text,
    escalated_at  timestamptz,
    claimed_by    text,
    claimed_until timestamptz,
    calls         integer NOT NULL DEFAULT 0 CHECK (calls >= 0),
    called_at     timestamptz,
    answer        json,
    decided_by    text,
    decided_at    timestamptz,
    closed_as     text CHECK (closed_as IN ('answered_elsewhere', 'needs_nobody', 'thread_ended', 'session_over')),
    CONSTRAINT reviews_executor_has_name CHECK ((route = 'executor') = (executor IS NOT NULL)),
    CONSTRAINT reviews_person_has_severity CHECK (route <> 'person' OR severity IS NOT NULL),
    CONSTRAINT reviews_claim_is_whole CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    CONSTRAINT reviews_decision_is_whole
        CHECK ((answer IS NULL) = (decided_by IS NULL) AND (answer IS NULL) = (decided_at IS NULL))
);

COMMENT ON TABLE reviews IS 'What is asked of us by the tool uses that sessions wait for: one row for each effect of kind review, from when a worker has looked the question up. How a review stands is not stored: see the function review_status.';
COMMENT ON COLUMN reviews.effect IS 'effects.id: the effect says whether an answer is still wanted, and when the next step is due.';
COMMENT ON COLUMN reviews.session_id IS 'The session that waits.';
COMMENT ON COLUMN reviews.tool_use_id IS 'The session event that is to be answered; the effect''s key.';
COMMENT ON COLUMN reviews.tool IS 'Name of the tool.';
COMMENT ON COLUMN reviews.server IS 'The MCP server that has the tool.';
COMMENT ON COLUMN reviews.input IS 'The arguments, as the agent gave them. json and not jsonb, which would reorder them and refuse some strings.';
COMMENT ON COLUMN reviews.permission IS 'What the agent''s own policy says, word for word. Null for custom tools.';
COMMENT ON COLUMN reviews.thread_id IS 'The thread that waits, where it is not the session''s first one.';
COMMENT ON COLUMN reviews.agent_id IS 'The agent that asks.';
COMMENT ON COLUMN reviews.agent_name IS 'What a person called it.';
COMMENT ON COLUMN reviews.session_title IS 'What a person called the session.';
COMMENT ON COLUMN reviews.context IS 'What led to the question: the last things that were said, oldest first, shortened.';
COMMENT ON COLUMN reviews.asked_at IS 'When the agent asked, by the platform''s clock.';
COMMENT ON COLUMN reviews.prepared_at IS 'When the row was written.';
COMMENT ON COLUMN reviews.route IS 'Who answers, by the policy. Becomes person where an executor could not.';
COMMENT ON COLUMN reviews.because IS 'The rule of the policy that says so, or what else does.';
COMMENT ON COLUMN reviews.executor IS 'Name of the executor in the policy.';
COMMENT ON COLUMN reviews.message IS 'What the agent is told when the policy denies.';
COMMENT ON COLUMN reviews.due_at IS 'By when a person is to have answered.';
COMMENT ON COLUMN reviews.severity IS 'Of the alert that is raised when nobody has.';
COMMENT ON COLUMN reviews.escalated_at IS 'When it was raised.';
COMMENT ON COLUMN reviews.claimed_by IS 'The person who works on it.';
COMMENT ON COLUMN reviews.claimed_until IS 'Until then nobody else may decide.';
COMMENT ON COLUMN reviews.calls IS 'How many calls of the executor have begun.';
COMMENT ON COLUMN reviews.called_at IS 'When the last of them began, while its end is not known. Written before the call, so that a worker that dies leaves the trace.';
COMMENT ON COLUMN reviews.answer IS 'What was decided last.';
COMMENT ON COLUMN reviews.decided_by IS 'Who or what decided.';
COMMENT ON COLUMN reviews.decided_at IS 'When.';
COMMENT ON COLUMN reviews.closed_as IS 'Why no answer is wanted, where the first look has shown it.';

-- The reviews of a session, and those whose tool use has an id that begins so.
CREATE INDEX reviews_session ON reviews (session_id);
CREATE INDEX reviews_tool_use ON reviews (tool_use_id text_pattern_ops);

CREATE TABLE review_steps (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    effect bigint NOT NULL REFERENCES effects (id),
    at     timestamptz NOT NULL,
    step   text NOT NULL CHECK (step IN ('routed', 'claimed', 'released', 'called', 'call_failed', 'call_lost',
        'handed_over', 'overdue', 'decided', 'closed')),
    actor  text NOT NULL,
    note   text
);

COMMENT ON TABLE review_steps IS 'What happened to each review, for people.';
COMMENT ON COLUMN review_steps.effect IS 'effects.id of the review.';
COMMENT ON COLUMN review_steps.at IS 'When.';
COMMENT ON COLUMN review_steps.step IS 'routed: somebody was chosen to answer. called, call_failed, call_lost: the executor was called; it failed; the worker died and the end of the call is not known. handed_over: from an executor to a person. overdue: nobody had answered in time. closed: no answer is wanted.';
COMMENT ON COLUMN review_steps.actor IS 'Who or what did it: a person, policy, executor:NAME.';
COMMENT ON COLUMN review_steps.note IS 'More about it.';

-- The story of one review.
CREATE INDEX review_steps_effect ON review_steps (effect, id);

-- Which statuses there are is decided here and nowhere else. Arguments: the effect's standing and whether it is done,
-- the review's route (null: not looked up yet), closing and decision, and the last reply with the status of its event.
CREATE FUNCTION review_status(
    standing text, is_done boolean, route text, closed_as text, is_decided boolean, reply_state text, reply_status text
) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN closed_as = 'answered_elsewhere' THEN 'answered'
        WHEN closed_as IS NOT NULL THEN 'obsolete'
        WHEN reply_state IN ('posted', 'elsewhere') THEN 'answered'
        WHEN reply_state = 'obsolete' THEN 'obsolete'
        WHEN is_done THEN 'answered'
        WHEN standing = 'obsolete' THEN 'obsolete'
        WHEN route IS NULL THEN 'preparing'
        WHEN reply_state = 'failed' AND reply_status <> 'discarded' THEN 'failed'
        WHEN is_decided AND reply_state IS DISTINCT FROM 'failed' THEN 'decided'
        WHEN route = 'person' THEN 'open'
        ELSE 'executing'
    END;

COMMENT ON FUNCTION review_status IS 'How a review stands. preparing: not looked up yet. open: a person is to answer. executing: the policy or an executor is about to. decided: the answer is on its way. answered: the session has an answer. failed: the answer could not be delivered and is a dead letter. obsolete: the session does not wait for it any more.';
