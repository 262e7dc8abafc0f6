-- What was said in sessions that are over, as far as it was fetched.

CREATE TABLE transcripts (
    session_id     text PRIMARY KEY,
    generation     integer NOT NULL DEFAULT 0 CHECK (generation >= 0),
    fetched_at     timestamptz,
    complete       boolean NOT NULL DEFAULT false,
    reason         text,
    threads        integer NOT NULL DEFAULT 0 CHECK (threads >= 0),
    events         bigint NOT NULL DEFAULT 0 CHECK (events >= 0),
    bytes          bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    stored_bytes   bigint NOT NULL DEFAULT 0 CHECK (stored_bytes >= 0),
    sha256         bytea,
    last_event_id  text,
    fetching       integer NOT NULL DEFAULT 0 CHECK (fetching >= generation),
    attempt        integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    began_at       timestamptz,
    covers         bigint[] NOT NULL DEFAULT '{}',
    fetching_until timestamptz,
    CONSTRAINT transcripts_fetched_is_whole CHECK ((generation = 0) = (fetched_at IS NULL) AND (generation = 0) = (sha256 IS NULL)),
    CONSTRAINT transcripts_incomplete_has_a_reason CHECK (generation = 0 OR complete = (reason IS NULL))
);

COMMENT ON TABLE transcripts IS 'One row per session whose transcript was asked for.';
COMMENT ON COLUMN transcripts.generation IS 'Which parts are the transcript; 0 while there is none. A fetch writes parts of a generation of its own, which becomes this one in its last transaction.';
COMMENT ON COLUMN transcripts.fetched_at IS 'When the fetch of these parts began: later events are not in them.';
COMMENT ON COLUMN transcripts.reason IS 'Why it is not complete.';
COMMENT ON COLUMN transcripts.threads IS 'Child threads whose events are among the parts.';
COMMENT ON COLUMN transcripts.bytes IS 'Length of all lines, uncompressed, line feeds included.';
COMMENT ON COLUMN transcripts.sha256 IS 'Of all lines, uncompressed, in the order of the parts.';
COMMENT ON COLUMN transcripts.last_event_id IS 'The last event of the session''s own list.';
COMMENT ON COLUMN transcripts.fetching IS 'Generation of the newest fetch; greater than generation while one is under way or was given up half way.';
COMMENT ON COLUMN transcripts.attempt IS 'Who fetches: only the holder of the newest attempt may write parts.';
COMMENT ON COLUMN transcripts.began_at IS 'When the fetch of the generation under way began, attempts that died included.';
COMMENT ON COLUMN transcripts.covers IS 'effects.id of all that were recorded, and not carried out, when the fetch of the generation under way began: it carries out these. No clock is compared, since workers'' clocks differ.';
COMMENT ON COLUMN transcripts.fetching_until IS 'Lease of the attempt, prolonged with each part. Null when nobody fetches.';

CREATE TABLE transcript_parts (
    session_id text NOT NULL REFERENCES transcripts ON DELETE CASCADE,
    generation integer NOT NULL CHECK (generation >= 1),
    position   integer NOT NULL CHECK (position >= 0),
    part       integer NOT NULL CHECK (part >= 0),
    thread_id  text,
    events     integer NOT NULL CHECK (events >= 0),
    bytes      bigint NOT NULL CHECK (bytes >= 0),
    last_event_id text,
    next_page  text,
    body       bytea NOT NULL,
    PRIMARY KEY (session_id, generation, position, part),
    CONSTRAINT transcript_parts_session_first CHECK ((position = 0) = (thread_id IS NULL))
);

COMMENT ON TABLE transcript_parts IS 'Pages of event lists, in order. Position 0 is the session''s own list, then each child thread has one.';
COMMENT ON COLUMN transcript_parts.part IS 'Number of the page in its list, from 0.';
COMMENT ON COLUMN transcript_parts.bytes IS 'Length of the lines, uncompressed.';
COMMENT ON COLUMN transcript_parts.next_page IS 'Cursor of the page after this one; null on the last page of a list. A fetch that died goes on from here.';
COMMENT ON COLUMN transcript_parts.body IS 'The page''s events as JSON lines, each as the platform sent it; zstd. Compressed already, so Postgres need not try.';

ALTER TABLE transcript_parts ALTER COLUMN body SET STORAGE EXTERNAL;
