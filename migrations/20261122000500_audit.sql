-- The audit: its rounds, what workers say about what they hold, and the figures it keeps.

CREATE TABLE audit_rounds (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    placed_at         timestamptz NOT NULL,
    snapshot          pg_snapshot NOT NULL,
    unpublished       bigint[] NOT NULL,
    dry_run           boolean NOT NULL,
    returned_at       timestamptz,
    after_received_at timestamptz,
    after_event       bigint,
    requeued          bigint NOT NULL DEFAULT 0 CHECK (requeued >= 0),
    examples          text[] NOT NULL DEFAULT '{}',
    ended_at          timestamptz,
    outcome           text CHECK (outcome IN ('clean', 'requeued', 'overtaken', 'skipped')),
    CONSTRAINT audit_rounds_ended_with_outcome CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT audit_rounds_cursor_is_whole CHECK ((after_received_at IS NULL) = (after_event IS NULL))
);

COMMENT ON TABLE audit_rounds IS 'Rounds of the audit: each places one marker message at the tail of the queue `work` and waits for a worker to be handed it. Ended rounds are kept for seven days.';
COMMENT ON COLUMN audit_rounds.placed_at IS 'When it was begun. The marker carries it too, so that a marker of another database is recognized.';
COMMENT ON COLUMN audit_rounds.snapshot IS 'What was visible as it began. An event whose row was written by a transaction that is not visible in it has moved since, and is no suspect of the round.';
COMMENT ON COLUMN audit_rounds.unpublished IS 'events.id of all that had an outbox row for the queue `work` as it began: their messages may come after the marker. Emptied at the end.';
COMMENT ON COLUMN audit_rounds.dry_run IS 'Whether it only counts. Workers leave such rounds to the command that placed them.';
COMMENT ON COLUMN audit_rounds.returned_at IS 'When a worker was handed the marker.';
COMMENT ON COLUMN audit_rounds.after_event IS 'Together with after_received_at: the last suspect that was dealt with. Present from the first chunk on, so that another worker can go on.';
COMMENT ON COLUMN audit_rounds.after_received_at IS 'See after_event.';
COMMENT ON COLUMN audit_rounds.requeued IS 'Events that were in no queue and got an outbox row; with dry_run, that would have got one.';
COMMENT ON COLUMN audit_rounds.examples IS 'events.event_id of the first few of them.';
COMMENT ON COLUMN audit_rounds.ended_at IS 'When it was over.';
COMMENT ON COLUMN audit_rounds.outcome IS 'clean: nothing was lost. requeued: see requeued. overtaken: another round has settled what this one asked. skipped: the outbox was too long to be remembered.';

-- What is still open; the last round of all is found by the primary key.
CREATE INDEX audit_rounds_open ON audit_rounds (id) WHERE ended_at IS NULL;

CREATE FUNCTION written_before(writer xid, seen pg_snapshot) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    -- A row knows the last 32 bits of its writer's number, a snapshot knows whole numbers. The writer is taken for the
    -- youngest one before the end of the snapshot; half of the 32-bit numbers count as later, as they do for Postgres.
    RETURN (((pg_snapshot_xmax(seen)::text::bigint - writer::text::bigint) & 4294967295) BETWEEN 1 AND 2147483647)
        AND pg_visible_in_snapshot(
            greatest(
                pg_snapshot_xmax(seen)::text::bigint
                    - ((pg_snapshot_xmax(seen)::text::bigint - writer::text::bigint) & 4294967295),
                3
            )::text::xid8,
            seen
        );

COMMENT ON FUNCTION written_before IS 'Whether a row version (its xmin) was committed by a transaction that the snapshot sees. Version numbers wrap after some two thousand million transactions; a row that old counts as written later, until something writes it.';

CREATE TABLE worker_reports (
    worker      text PRIMARY KEY,
    reported_at timestamptz NOT NULL,
    held_since  timestamptz
);

COMMENT ON TABLE worker_reports IS 'What each worker said last about the messages in its hands. A row that is not renewed is ignored after a minute and removed after a day.';
COMMENT ON COLUMN worker_reports.worker IS 'Name of the worker process.';
COMMENT ON COLUMN worker_reports.reported_at IS 'When it said so, by its own clock.';
COMMENT ON COLUMN worker_reports.held_since IS 'When the oldest message in its hands was delivered; null when it holds none, -infinity when it holds one that somebody had before.';

CREATE TABLE ledger_figures (
    id                boolean PRIMARY KEY DEFAULT true CHECK (id),
    looked_at         timestamptz,
    pending           bigint NOT NULL DEFAULT 0,
    oldest_pending_at timestamptz,
    dead              bigint NOT NULL DEFAULT 0,
    outbox            bigint NOT NULL DEFAULT 0,
    oldest_due_at     timestamptz,
    counted_at        timestamptz,
    accepted          bigint NOT NULL DEFAULT 0,
    counted_pending   bigint NOT NULL DEFAULT 0,
    applied           bigint NOT NULL DEFAULT 0,
    superseded        bigint NOT NULL DEFAULT 0,
    ignored           bigint NOT NULL DEFAULT 0,
    counted_dead      bigint NOT NULL DEFAULT 0,
    discarded         bigint NOT NULL DEFAULT 0
);

COMMENT ON TABLE ledger_figures IS 'One row with the last figures for the metrics, taken by one worker and shown by all.';
COMMENT ON COLUMN ledger_figures.looked_at IS 'When pending, oldest_pending_at, dead, outbox and oldest_due_at were read.';
COMMENT ON COLUMN ledger_figures.pending IS 'Events that are not finished.';
COMMENT ON COLUMN ledger_figures.oldest_pending_at IS 'When the oldest of them was received.';
COMMENT ON COLUMN ledger_figures.dead IS 'Events in the dead-letter queue.';
COMMENT ON COLUMN ledger_figures.outbox IS 'Messages still to be published.';
COMMENT ON COLUMN ledger_figures.oldest_due_at IS 'When the first of them is, or was, due.';
COMMENT ON COLUMN ledger_figures.accepted IS 'All events at counted_at, counted by themselves.';
COMMENT ON COLUMN ledger_figures.counted_pending IS 'Events with the status pending at counted_at.';
COMMENT ON COLUMN ledger_figures.applied IS 'Events with the status applied at counted_at.';
COMMENT ON COLUMN ledger_figures.superseded IS 'Events with the status superseded at counted_at.';
COMMENT ON COLUMN ledger_figures.ignored IS 'Events with the status ignored at counted_at.';
COMMENT ON COLUMN ledger_figures.counted_dead IS 'Events with the status dead at counted_at.';
COMMENT ON COLUMN ledger_figures.discarded IS 'Events with the status discarded at counted_at.';
COMMENT ON COLUMN ledger_figures.counted_at IS 'When the last count of all events ended; the columns behind it are of that count, and add up.';

INSERT INTO ledger_figures DEFAULT VALUES;
