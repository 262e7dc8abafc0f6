-- What a person should know: alerts, who was told of them, and how each endpoint fares.

CREATE TABLE alerts (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL,
    key            text NOT NULL,
    severity       text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    resource_type  text,
    resource_id    text,
    title          text NOT NULL,
    details        json NOT NULL,
    event          bigint,
    idle_event     text,
    caused_at      timestamptz,
    times          bigint NOT NULL DEFAULT 1 CHECK (times >= 1),
    raised_at      timestamptz NOT NULL,
    last_raised_at timestamptz NOT NULL,
    escalated_at   timestamptz,
    resolved_at    timestamptz,
    resolution     text,
    CONSTRAINT alerts_resource_is_whole CHECK ((resource_type IS NULL) = (resource_id IS NULL)),
    CONSTRAINT alerts_resolution_is_whole CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);

COMMENT ON TABLE alerts IS 'What a person should know. Raised again, an open alert counts up; a resolved one stays as it is and a new one is opened.';
COMMENT ON COLUMN alerts.kind IS 'What it is about; docs/ALERTS.md has all kinds. No CHECK, so that a new kind needs no migration.';
COMMENT ON COLUMN alerts.key IS 'What tells alerts of one kind apart: a resource, an endpoint. One alert of a kind and key is open at a time.';
COMMENT ON COLUMN alerts.severity IS 'The highest with which it was raised while it was open.';
COMMENT ON COLUMN alerts.details IS 'What was found out, as of the last time it was raised.';
COMMENT ON COLUMN alerts.event IS 'events.id of the event that was the last to raise it.';
COMMENT ON COLUMN alerts.idle_event IS 'The idle event of the session, where the alert is about why the session waits.';
COMMENT ON COLUMN alerts.caused_at IS 'When the newest cause happened, by the platform''s clock. Only what happened later can resolve it.';
COMMENT ON COLUMN alerts.times IS 'How often it was raised.';
COMMENT ON COLUMN alerts.escalated_at IS 'When its severity last rose; sinks are told of the first time.';
COMMENT ON COLUMN alerts.resolution IS 'What ended it, in words. Resolved in the very moment it was raised: it was overtaken before anybody could be told, and nobody is.';

-- One open alert per kind and key; also finds it when it is raised again or resolved.
CREATE UNIQUE INDEX alerts_open ON alerts (kind, key) WHERE resolved_at IS NULL;
-- Which alerts sinks have to be told of: only new ones are looked at.
CREATE INDEX alerts_raised ON alerts (raised_at);
CREATE INDEX alerts_escalated ON alerts (escalated_at) WHERE escalated_at IS NOT NULL;
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;

CREATE TABLE alert_deliveries (
    alert        bigint NOT NULL REFERENCES alerts ON DELETE CASCADE,
    sink         text NOT NULL,
    phase        text NOT NULL CHECK (phase IN ('raised', 'escalated', 'resolved')),
    recorded_at  timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    tries        integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    last_error   text,
    delivered_at timestamptz,
    given_up_at  timestamptz,
    PRIMARY KEY (alert, sink, phase)
);

COMMENT ON TABLE alert_deliveries IS 'Which sink is to be told, or was told, of which alert. A row is made by the first worker that has the sink.';
COMMENT ON COLUMN alert_deliveries.sink IS 'log, webhook or slack.';
COMMENT ON COLUMN alert_deliveries.due_at IS 'Not tried before. Claiming a row moves it by the length of the lease.';
COMMENT ON COLUMN alert_deliveries.tries IS 'How often telling it has failed.';
COMMENT ON COLUMN alert_deliveries.last_error IS 'Why it failed last; never the URL, which is a secret.';
COMMENT ON COLUMN alert_deliveries.given_up_at IS 'When it was given up, a day after it was recorded.';

-- What is to be told next, by sink.
CREATE INDEX alert_deliveries_due ON alert_deliveries (sink, due_at) WHERE delivered_at IS NULL AND given_up_at IS NULL;

CREATE TABLE endpoint_health (
    endpoint            text NOT NULL,
    process             text NOT NULL,
    written_at          timestamptz NOT NULL,
    successes           bigint NOT NULL CHECK (successes >= 0),
    failures            bigint NOT NULL CHECK (failures >= 0),
    failures_in_a_row   bigint NOT NULL CHECK (failures_in_a_row >= 0),
    failing_since       timestamptz,
    last_success_at     timestamptz,
    last_failure_at     timestamptz,
    last_failure_reason text,
    PRIMARY KEY (endpoint, process)
);

COMMENT ON TABLE endpoint_health IS 'How each ingest process answers the deliveries of each endpoint, written every 10 s while something changes.';
COMMENT ON COLUMN endpoint_health.process IS 'Host and process number; rows of processes that are long gone are removed.';
COMMENT ON COLUMN endpoint_health.failures_in_a_row IS 'Deliveries not answered with 2xx since this process last did.';
COMMENT ON COLUMN endpoint_health.failing_since IS 'When the first of these failures was. Null while the last answer was a success.';
COMMENT ON COLUMN endpoint_health.last_failure_reason IS 'The reason in the last answer that was no success, for example no_match.';
