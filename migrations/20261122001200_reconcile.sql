-- Passes over what the API lists, to find what was never delivered.

CREATE TABLE reconcile_passes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL,
    whole      boolean NOT NULL,
    since      timestamptz,
    stage      text NOT NULL CHECK (stage IN ('listing', 'unfinished', 'held')),
    cursor     text,
    started_at timestamptz NOT NULL,
    compared   bigint NOT NULL DEFAULT 0,
    missing    bigint NOT NULL DEFAULT 0,
    differing  bigint NOT NULL DEFAULT 0,
    deleted    bigint NOT NULL DEFAULT 0,
    queued     bigint NOT NULL DEFAULT 0,
    ended_at   timestamptz
);

COMMENT ON TABLE reconcile_passes IS 'Comparisons of what is stored with what the API lists. One that was interrupted is gone on with.';
COMMENT ON COLUMN reconcile_passes.kind IS 'Kind of resource; what belongs to it (a session''s threads, a vault''s credentials) is compared along with it and counted here.';
COMMENT ON COLUMN reconcile_passes.whole IS 'Whether everything is listed, so that what is not listed is deleted.';
COMMENT ON COLUMN reconcile_passes.since IS 'What has not changed since then is compared by its status only. Null: everything is compared from its beginning.';
COMMENT ON COLUMN reconcile_passes.stage IS 'listing: the list itself. unfinished: a second list, of what is at work, however old. held: what we hold and was not listed, one by one.';
COMMENT ON COLUMN reconcile_passes.cursor IS 'Where the list goes on; null at its beginning.';
COMMENT ON COLUMN reconcile_passes.compared IS 'Resources compared so far.';
COMMENT ON COLUMN reconcile_passes.missing IS 'Of those, unknown to us.';
COMMENT ON COLUMN reconcile_passes.differing IS 'Of those, known and different.';
COMMENT ON COLUMN reconcile_passes.deleted IS 'Resources that are held and no longer there.';
COMMENT ON COLUMN reconcile_passes.queued IS 'Events that were accepted for what was found.';

-- At most one open pass of a kind, found by it; the last one that ended.
CREATE UNIQUE INDEX reconcile_passes_open ON reconcile_passes (kind) WHERE ended_at IS NULL;
CREATE INDEX reconcile_passes_ended ON reconcile_passes (kind, ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE reconcile_seen (
    pass        bigint NOT NULL REFERENCES reconcile_passes ON DELETE CASCADE,
    resource_id text NOT NULL,
    PRIMARY KEY (pass, resource_id)
);

COMMENT ON TABLE reconcile_seen IS 'What an open pass has compared already. Gone when the pass ends.';

COMMENT ON COLUMN duties.name IS 'settle: a whole pass over the dead letters. reconcile: a comparison of all kinds with the API.';
