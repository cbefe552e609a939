-- Format 1: threads with their events, history, calls and what they are found by; the same tables as in SQLite.
--
-- Bodies are JSON in the form of capstan-types, kept as text so that they are read back as they were written. Times are milliseconds
-- since 1970-01-01 UTC. What people wrote and may hold NUL is kept as bytes, in UTF-8.

CREATE TABLE threads (
    id                       TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    owner                    TEXT   NOT NULL,
    epoch                    BIGINT NOT NULL CHECK (epoch >= 0),
    settings                 TEXT   NOT NULL,
    created_at               BIGINT NOT NULL,
    updated_at               BIGINT NOT NULL,
    preview                  BYTEA  NOT NULL,
    name                     BYTEA,
    archived_at              BIGINT,
    parent                   TEXT,
    cwd                      TEXT   NOT NULL,
    last_seq                 BIGINT NOT NULL,
    input_tokens             BIGINT NOT NULL,
    cached_input_tokens      BIGINT NOT NULL,
    cache_write_input_tokens BIGINT NOT NULL,
    output_tokens            BIGINT NOT NULL,
    reasoning_output_tokens  BIGINT NOT NULL,
    micro_usd                BIGINT NOT NULL
);

CREATE INDEX threads_newest ON threads (created_at DESC, id DESC);
CREATE INDEX threads_touched ON threads (updated_at DESC, id DESC);

-- The key makes a number in a thread's log unique; that there are no holes is checked by whoever appends.
CREATE TABLE events (
    thread TEXT   COLLATE "C" NOT NULL REFERENCES threads (id),
    seq    BIGINT NOT NULL CHECK (seq > 0),
    at     BIGINT NOT NULL,
    turn   TEXT,
    body   TEXT   NOT NULL,
    PRIMARY KEY (thread, seq)
);

-- `position` only ever grows within one thread, whose row is locked by whoever appends.
CREATE TABLE entries (
    position  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thread    TEXT   COLLATE "C" NOT NULL REFERENCES threads (id),
    turn      TEXT   NOT NULL,
    after_seq BIGINT NOT NULL,
    body      TEXT   NOT NULL
);

CREATE INDEX entries_of_thread ON entries (thread, position);

-- `ended` is set once: a call has one outcome.
CREATE TABLE calls (
    position    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thread      TEXT   COLLATE "C" NOT NULL REFERENCES threads (id),
    id          TEXT   COLLATE "C" NOT NULL,
    turn        TEXT   NOT NULL,
    asked_after BIGINT NOT NULL,
    asked       TEXT   NOT NULL,
    ended_after BIGINT,
    ended       TEXT,
    UNIQUE (thread, id)
);

CREATE INDEX calls_open ON calls (thread, position) WHERE ended IS NULL;

-- A call's tries; each is stored before its node is asked.
CREATE TABLE attempts (
    thread  TEXT   COLLATE "C" NOT NULL REFERENCES threads (id),
    call    TEXT   COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL CHECK (attempt > 0),
    body    TEXT   NOT NULL,
    PRIMARY KEY (thread, call, attempt)
);

-- What threads are found by, in lower case: kind is name, preview or prompt.
CREATE TABLE said (
    thread    TEXT   COLLATE "C" NOT NULL REFERENCES threads (id),
    kind      TEXT   NOT NULL,
    after_seq BIGINT NOT NULL,
    words     TEXT   NOT NULL
);

CREATE INDEX said_in_thread ON said (thread, kind);

-- Ids that are not given again.
CREATE TABLE deleted (
    thread TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL
);

-- The last transaction of everyone who writes: by it a writer whose connection broke during a commit learns what became of it.
CREATE TABLE writers (
    id     TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    at     BIGINT NOT NULL
);
