-- Format 2: names, archives, forks, costs, search, and every try of a call.

ALTER TABLE threads ADD COLUMN name TEXT;
ALTER TABLE threads ADD COLUMN archived_at INTEGER;
-- JSON: the thread, event and turn that it was forked from.
ALTER TABLE threads ADD COLUMN parent TEXT;
ALTER TABLE threads ADD COLUMN cwd TEXT NOT NULL DEFAULT '';
ALTER TABLE threads ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN cached_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN cache_write_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN reasoning_output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN micro_usd INTEGER NOT NULL DEFAULT 0;

-- The last event before it.
ALTER TABLE entries ADD COLUMN after_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN asked_after INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN ended_after INTEGER;

UPDATE threads SET
    cwd = coalesce(json_extract(settings, '$.cwd'), ''),
    last_seq = coalesce((SELECT max(seq) FROM events WHERE thread = threads.id), 0);

-- A completed turn told what its thread had used so far.
UPDATE threads SET
    (input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens, reasoning_output_tokens) = (
        SELECT json_extract(body, '$.usage.input_tokens'), json_extract(body, '$.usage.cached_input_tokens'),
            json_extract(body, '$.usage.cache_write_input_tokens'), json_extract(body, '$.usage.output_tokens'),
            json_extract(body, '$.usage.reasoning_output_tokens')
        FROM events WHERE thread = threads.id AND json_extract(body, '$.type') = 'turn_completed' ORDER BY seq DESC LIMIT 1)
    WHERE EXISTS (SELECT 1 FROM events WHERE thread = threads.id AND json_extract(body, '$.type') = 'turn_completed');

-- Format 1 did not keep it; the end of the turn is the earliest that is known to be late enough.
UPDATE entries SET after_seq = coalesce(
    (SELECT max(seq) FROM events WHERE events.thread = entries.thread AND events.turn = entries.turn),
    (SELECT last_seq FROM threads WHERE threads.id = entries.thread));
UPDATE calls SET asked_after = coalesce(
    (SELECT max(seq) FROM events WHERE events.thread = calls.thread AND events.turn = calls.turn),
    (SELECT last_seq FROM threads WHERE threads.id = calls.thread));
UPDATE calls SET ended_after = asked_after WHERE ended IS NOT NULL;

CREATE INDEX threads_touched ON threads (updated_at DESC, id DESC);

-- A call's tries; each is stored before its node is asked.
CREATE TABLE attempts (
    thread  TEXT    NOT NULL REFERENCES threads (id),
    call    TEXT    NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    body    TEXT    NOT NULL,
    PRIMARY KEY (thread, call, attempt)
) STRICT;

-- What threads are found by, in lower case: kind is name, preview or prompt.
CREATE TABLE said (
    thread    TEXT    NOT NULL REFERENCES threads (id),
    kind      TEXT    NOT NULL,
    after_seq INTEGER NOT NULL,
    words     TEXT    NOT NULL
) STRICT;

CREATE INDEX said_in_thread ON said (thread, kind);

-- Ids that are not given again.
CREATE TABLE deleted (
    thread TEXT    NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL
) STRICT;

PRAGMA user_version = 2;
