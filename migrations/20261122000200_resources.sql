-- What events happened to: the state, its history, and what is to be done about it.

CREATE TABLE resources (
    resource_type         text NOT NULL,
    resource_id           text NOT NULL,
    parent_id             text,
    workspace_id          text,
    status                text,
    snapshot              json,
    snapshot_source       text CHECK (snapshot_source IN ('api', 'payload')),
    snapshot_status       text,
    snapshot_updated_at   timestamptz,
    fetched_at            timestamptz,
    waiting               json,
    deleted_at            timestamptz,
    last_event_created_at timestamptz,
    last_event_rank       smallint,
    last_event_id         text,
    PRIMARY KEY (resource_type, resource_id),
    CONSTRAINT resources_snapshot_is_whole
        CHECK ((snapshot IS NULL) = (snapshot_source IS NULL) AND (snapshot IS NULL) = (fetched_at IS NULL)),
    CONSTRAINT resources_last_event_is_whole
        CHECK ((last_event_id IS NULL) = (last_event_created_at IS NULL) AND (last_event_id IS NULL) = (last_event_rank IS NULL))
);

COMMENT ON TABLE resources IS 'The newest known state of each resource.';
COMMENT ON COLUMN resources.status IS 'What people see: deleted, or the snapshot''s status.';
COMMENT ON COLUMN resources.snapshot IS 'The object exactly as it was fetched. json and not jsonb, which would reorder it and refuse some strings.';
COMMENT ON COLUMN resources.snapshot_source IS 'api: fetched. payload: taken from a classic event, which has nothing to fetch.';
COMMENT ON COLUMN resources.snapshot_status IS 'Status in the snapshot; the resource''s own, unless it was deleted.';
COMMENT ON COLUMN resources.snapshot_updated_at IS 'The resource''s own time of last change.';
COMMENT ON COLUMN resources.fetched_at IS 'When the fetch began; the snapshot covers all that happened before.';
COMMENT ON COLUMN resources.waiting IS 'Why an idle session waits: last idle event, its reason, the tool uses that wait.';
COMMENT ON COLUMN resources.deleted_at IS 'Tombstone: when it was deleted, by the sender''s clock.';
COMMENT ON COLUMN resources.last_event_created_at IS 'When the newest event happened, by the sender''s clock. Null while the row only serves as a lock: no event of the resource was decided yet.';
COMMENT ON COLUMN resources.last_event_rank IS 'Lifecycle rank of the newest event; breaks ties of its time.';

CREATE TABLE resource_history (
    resource_type text NOT NULL,
    resource_id   text NOT NULL,
    created_at    timestamptz NOT NULL,
    rank          smallint NOT NULL,
    event_id      text NOT NULL,
    event_type    text NOT NULL,
    event         bigint NOT NULL,
    PRIMARY KEY (resource_type, resource_id, created_at, rank, event_id)
);

COMMENT ON TABLE resource_history IS 'The events of each resource, in the order in which they happened.';
COMMENT ON COLUMN resource_history.event IS 'events.id of the source event.';

CREATE TABLE effects (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource_type text NOT NULL,
    resource_id   text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('alert', 'review', 'archive')),
    key           text NOT NULL,
    standing      text NOT NULL CHECK (standing IN ('due', 'obsolete')),
    detail        text NOT NULL,
    event         bigint NOT NULL,
    recorded_at   timestamptz NOT NULL,
    done_at       timestamptz,
    CONSTRAINT effects_once UNIQUE (resource_type, resource_id, kind, key)
);

COMMENT ON TABLE effects IS 'What is to be done because of events, each thing once.';
COMMENT ON COLUMN effects.key IS 'Natural key within resource and kind: the event of an alert, the tool use of a review.';
COMMENT ON COLUMN effects.standing IS 'due: to be done. obsolete: overtaken by a newer state; not done, kept on record.';
COMMENT ON COLUMN effects.event IS 'events.id of the event that first caused it.';
COMMENT ON COLUMN effects.done_at IS 'When it was carried out; from then on nothing changes it.';

CREATE INDEX effects_event ON effects (event);
