-- Format 1: threads with their events, history and calls.
--
-- Bodies are JSON in the form of capstan-types. Times are milliseconds since 1970-01-01 UTC. Identifiers are text, so that an operator
-- can read the store with the sqlite3 program.

CREATE TABLE threads (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    epoch      INTEGER NOT NULL CHECK (epoch >= 0),
    settings   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    preview    TEXT    NOT NULL
) STRICT;

CREATE INDEX threads_newest ON threads (created_at DESC, id DESC);

-- The key makes a number in a thread's log unique; that there are no holes is checked by whoever appends.
CREATE TABLE events (
    thread TEXT    NOT NULL REFERENCES threads (id),
    seq    INTEGER NOT NULL CHECK (seq > 0),
    at     INTEGER NOT NULL,
    turn   TEXT,
    body   TEXT    NOT NULL,
    PRIMARY KEY (thread, seq)
) STRICT;

-- `position` only ever grows, so it is the order of what one thread stored.
CREATE TABLE entries (
    position INTEGER NOT NULL PRIMARY KEY,
    thread   TEXT    NOT NULL REFERENCES threads (id),
    turn     TEXT    NOT NULL,
    body     TEXT    NOT NULL
) STRICT;

CREATE INDEX entries_of_thread ON entries (thread, position);

-- `ended` is set once: a call has one outcome.
CREATE TABLE calls (
    position INTEGER NOT NULL PRIMARY KEY,
    thread   TEXT    NOT NULL REFERENCES threads (id),
    id       TEXT    NOT NULL,
    turn     TEXT    NOT NULL,
    asked    TEXT    NOT NULL,
    ended    TEXT,
    UNIQUE (thread, id)
) STRICT;

CREATE INDEX calls_open ON calls (thread, position) WHERE ended IS NULL;

-- "CAPS" in ASCII says whose file it is.
PRAGMA application_id = 0x43415053;
PRAGMA user_version = 1;
