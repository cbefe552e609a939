-- Format 3: turns that wait, and the places at which conversations were shortened.

-- `body` is JSON: what the turn is given to begin with. A row goes when its turn begins or is taken back.
CREATE TABLE queued (
    position INTEGER NOT NULL PRIMARY KEY,
    thread   TEXT    NOT NULL REFERENCES threads (id),
    turn     TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    UNIQUE (thread, turn)
) STRICT;

CREATE INDEX entries_compacted ON entries (thread, position) WHERE substr(body, 1, 19) = '{"type":"compacted"';

PRAGMA user_version = 3;
