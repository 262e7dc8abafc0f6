-- What classic events say of their messages, so that people can look for it. Derived from the snapshot in resources.

CREATE TABLE messages (
    resource_id        text PRIMARY KEY,
    model              text,
    prompt_tokens      bigint,
    response_tokens    bigint,
    flagged_by         text[] NOT NULL,
    levels             text[] NOT NULL,
    blocked_categories text[] NOT NULL,
    scored_categories  jsonb NOT NULL
);

COMMENT ON TABLE messages IS 'Resources of the type message, with members of their snapshots. Columns and not an index on the snapshot: that is json, which holds texts that Postgres cannot take apart.';
COMMENT ON COLUMN messages.resource_id IS 'The message''s id; its row in resources has the snapshot.';
COMMENT ON COLUMN messages.model IS 'The model that was asked.';
COMMENT ON COLUMN messages.prompt_tokens IS 'Tokens that went in.';
COMMENT ON COLUMN messages.response_tokens IS 'Tokens that came out.';
COMMENT ON COLUMN messages.flagged_by IS 'What found something wrong with it.';
COMMENT ON COLUMN messages.levels IS 'How sure moderation was: high, medium, low. Open.';
COMMENT ON COLUMN messages.blocked_categories IS 'The categories for which it was refused. Open.';
COMMENT ON COLUMN messages.scored_categories IS 'All categories that were looked at: an object of category to level.';

-- For `worker resources list --type message --blocked CATEGORY`.
CREATE INDEX messages_blocked ON messages USING gin (blocked_categories);
-- For `worker resources list --type message --level LEVEL`.
CREATE INDEX messages_level ON messages USING gin (levels);
