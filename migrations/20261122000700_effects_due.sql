-- Effects are carried out by whichever worker claims them: when, how often it was tried, what went wrong last.

ALTER TABLE effects
    ADD COLUMN due_at timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    ADD COLUMN last_error text;

COMMENT ON COLUMN effects.due_at IS 'Not carried out before. Claiming a row moves it into the future by the length of the lease, so that a claimant that dies gives it back by doing nothing. infinity: nothing is left to do by itself, a person is.';
COMMENT ON COLUMN effects.tries IS 'How often carrying it out has failed.';
COMMENT ON COLUMN effects.last_error IS 'Text of the last failure, with the chain of causes.';

-- What is due next, by kind.
CREATE INDEX effects_due ON effects (kind, due_at) WHERE standing = 'due' AND done_at IS NULL;
