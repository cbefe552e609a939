-- Format 2: turns that wait, and the places at which conversations were shortened.

-- `body` is JSON: what the turn is given to begin with. A row goes when its turn begins or is taken back. `position` only ever grows within one
-- thread, whose row is locked by whoever appends.
CREATE TABLE queued (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thread   TEXT   COLLATE "C" NOT NULL REFERENCES threads (id),
    turn     TEXT   COLLATE "C" NOT NULL,
    body     TEXT   NOT NULL,
    UNIQUE (thread, turn)
);

CREATE INDEX entries_compacted ON entries (thread, position) WHERE substr(body, 1, 19) = '{"type":"compacted"';
