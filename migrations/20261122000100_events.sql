-- Events as they were accepted, the outbox that schedules them, and what was signed but is no event.

CREATE TABLE events (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint        text NOT NULL,
    event_id        text NOT NULL,
    event_type      text NOT NULL,
    dialect         text NOT NULL CHECK (dialect IN ('platform', 'flat', 'classic')),
    source          text NOT NULL DEFAULT 'webhook' CHECK (source IN ('webhook', 'queue', 'reconcile')),
    resource_type   text,
    resource_id     text,
    parent_id       text,
    organization_id text,
    workspace_id    text,
    created_at      timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    payload         bytea NOT NULL,
    content_type    text,
    traceparent     text,
    deliveries      integer NOT NULL DEFAULT 1 CHECK (deliveries >= 1),
    generation      integer NOT NULL DEFAULT 1 CHECK (generation >= 1),
    tries           integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    status          text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'applied', 'superseded', 'ignored', 'dead', 'discarded')),
    error_class     text
        CHECK (error_class IN ('transient', 'throttled', 'configuration', 'gone', 'permanent', 'bug')),
    last_error      text,
    dead_at         timestamptz,
    finished_at     timestamptz,
    discard_reason  text,
    -- event_id first: people look events up by it alone
    CONSTRAINT events_endpoint_event_id_key UNIQUE (event_id, endpoint),
    CONSTRAINT events_resource_is_whole CHECK ((resource_type IS NULL) = (resource_id IS NULL)),
    CONSTRAINT events_finished_or_pending CHECK ((status = 'pending') = (finished_at IS NULL)),
    CONSTRAINT events_dead_has_cause
        CHECK (status <> 'dead' OR (dead_at IS NOT NULL AND error_class IS NOT NULL)),
    CONSTRAINT events_discarded_has_reason CHECK ((status = 'discarded') = (discard_reason IS NOT NULL))
) WITH (fillfactor = 85); -- room for the one update that finishes most events

COMMENT ON TABLE events IS 'Every accepted event, once per endpoint and event id. The ledger: accepted = pending + applied + superseded + ignored + dead + discarded.';
COMMENT ON COLUMN events.id IS 'Our own number; never leaves the store.';
COMMENT ON COLUMN events.endpoint IS 'Name of the endpoint that received it.';
COMMENT ON COLUMN events.event_id IS 'The sender''s id, the same on every delivery.';
COMMENT ON COLUMN events.event_type IS 'What happened, as the sender names it. Open set.';
COMMENT ON COLUMN events.dialect IS 'Shape of the envelope: platform, flat or classic.';
COMMENT ON COLUMN events.source IS 'webhook: by delivery. queue: rebuilt from a broker message that was accepted without Postgres. reconcile: found by listing the API.';
COMMENT ON COLUMN events.resource_type IS 'Kind of the resource it happened to; null where that cannot be told.';
COMMENT ON COLUMN events.parent_id IS 'A thread''s session or a credential''s vault.';
COMMENT ON COLUMN events.created_at IS 'When it happened, by the sender''s clock.';
COMMENT ON COLUMN events.received_at IS 'When its first delivery was read, by ours.';
COMMENT ON COLUMN events.payload IS 'The body exactly as it was signed.';
COMMENT ON COLUMN events.traceparent IS 'W3C trace context of the first delivery.';
COMMENT ON COLUMN events.deliveries IS 'How often it was delivered.';
COMMENT ON COLUMN events.generation IS 'First life 1; every replay raises it. Queue copies of an older generation are over.';
COMMENT ON COLUMN events.tries IS 'Tries used up in this generation.';
COMMENT ON COLUMN events.status IS 'pending: not finished. applied: changed its resource. superseded: a newer event came first. ignored: nothing follows. dead: in the dead-letter queue. discarded: closed by a person.';
COMMENT ON COLUMN events.error_class IS 'Class of the last failure in this generation.';
COMMENT ON COLUMN events.last_error IS 'Text of the last failure in this generation, with the chain of causes.';
COMMENT ON COLUMN events.dead_at IS 'When it last entered the dead-letter queue.';
COMMENT ON COLUMN events.finished_at IS 'When it left pending.';
COMMENT ON COLUMN events.discard_reason IS 'Why a person closed it.';

-- Oldest unfinished event, number of unfinished events.
CREATE INDEX events_pending ON events (received_at, id) WHERE status = 'pending';
-- dlq list, newest first; dlq stats; agreement with the broker's queue.
CREATE INDEX events_dead ON events (dead_at DESC, id DESC) WHERE status = 'dead';

CREATE SEQUENCE outbox_ticket;
COMMENT ON SEQUENCE outbox_ticket IS 'Numbers each intention to publish, so that a late confirm cannot delete a newer intention.';

CREATE TABLE outbox (
    event      bigint PRIMARY KEY, -- no foreign key: rows are only ever written beside their event, and the check would lock it
    ticket     bigint NOT NULL DEFAULT nextval('outbox_ticket'),
    queue      text NOT NULL CHECK (queue IN ('work', 'dead')),
    generation integer NOT NULL,
    tries      integer NOT NULL,
    due_at     timestamptz NOT NULL
);

COMMENT ON TABLE outbox IS 'What is still to be published. A row goes when the broker has confirmed the message.';
COMMENT ON COLUMN outbox.event IS 'The event; at most one intention each, the newest wins.';
COMMENT ON COLUMN outbox.ticket IS 'Number of this intention to publish.';
COMMENT ON COLUMN outbox.queue IS 'Queue it goes to.';
COMMENT ON COLUMN outbox.generation IS 'Generation of the event that the message is to carry.';
COMMENT ON COLUMN outbox.tries IS 'Tries used up, as the message is to carry it: a message that says less than its event is over.';
COMMENT ON COLUMN outbox.due_at IS 'Published no earlier. Claiming a row moves it into the future by the length of the lease, so that a claimant that dies gives it back by doing nothing.';

CREATE INDEX outbox_due ON outbox (due_at);

CREATE TABLE quarantine (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint     text NOT NULL,
    received_at  timestamptz NOT NULL,
    body         bytea NOT NULL,
    content_type text,
    problem      text NOT NULL
);

COMMENT ON TABLE quarantine IS 'Bodies with a valid signature that are no event (answered 400), and broker messages that no worker can read. Kept for inspection.';
COMMENT ON COLUMN quarantine.problem IS 'Why it is no event, or cannot be read.';
