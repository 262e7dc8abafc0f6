-- Tells Postgres that the rows of before pass the wider constraints of 20261122000900, without a lock that holds up others.
ALTER TABLE events VALIDATE CONSTRAINT events_source_check;
ALTER TABLE outbox VALIDATE CONSTRAINT outbox_queue_check;
