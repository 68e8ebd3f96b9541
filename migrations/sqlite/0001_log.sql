-- The log. What is written here can never be changed, so neither can these columns.

-- Every input, timer and outside fact, each as one immutable event. Identities are 16 bytes, times are
-- microseconds since 1970, parents are 16-byte identities one behind the other, facts are canonical JSON.
CREATE TABLE events (
    pos             INTEGER PRIMARY KEY,
    event_id        BLOB    NOT NULL UNIQUE CHECK (length(event_id) = 16),
    thread_id       BLOB    NOT NULL CHECK (length(thread_id) = 16),
    conversation_id BLOB    CHECK (length(conversation_id) = 16),
    kind            TEXT    NOT NULL,
    kind_version    INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    ots             INTEGER NOT NULL,
    parents         BLOB    NOT NULL,
    origin          BLOB    NOT NULL CHECK (length(origin) = 16),
    origin_seq      INTEGER NOT NULL,
    dedup_key       TEXT    NOT NULL,
    occurred_at     INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    facts           TEXT    NOT NULL,
    payload         BLOB,
    commitment      BLOB    NOT NULL CHECK (length(commitment) = 32),
    hash            BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX events_of_conversation ON events (thread_id, conversation_id);
CREATE INDEX events_of_input ON events (thread_id, dedup_key);

-- The fate of each reply, in the same envelope; `answers` is the event it answers, and its one parent.
CREATE TABLE deliveries (
    pos             INTEGER PRIMARY KEY,
    event_id        BLOB    NOT NULL UNIQUE CHECK (length(event_id) = 16),
    thread_id       BLOB    NOT NULL CHECK (length(thread_id) = 16),
    conversation_id BLOB    CHECK (length(conversation_id) = 16),
    kind            TEXT    NOT NULL,
    kind_version    INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    ots             INTEGER NOT NULL,
    parents         BLOB    NOT NULL,
    origin          BLOB    NOT NULL CHECK (length(origin) = 16),
    origin_seq      INTEGER NOT NULL,
    dedup_key       TEXT    NOT NULL,
    occurred_at     INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    facts           TEXT    NOT NULL,
    payload         BLOB,
    commitment      BLOB    NOT NULL CHECK (length(commitment) = 32),
    hash            BLOB    NOT NULL CHECK (length(hash) = 32),
    answers         BLOB    NOT NULL CHECK (length(answers) = 16)
) STRICT;

CREATE INDEX deliveries_of_event ON deliveries (answers);
CREATE INDEX deliveries_of_thread ON deliveries (thread_id);

-- The compare-and-set row of each thread; it can be derived from the events at any time.
CREATE TABLE heads (
    thread_id            BLOB    NOT NULL PRIMARY KEY,
    rev                  INTEGER NOT NULL,
    version              INTEGER NOT NULL,
    ots                  INTEGER NOT NULL,
    head_ids             BLOB    NOT NULL,
    last_conversation_id BLOB,
    hint_valid           INTEGER NOT NULL,
    undelivered          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX heads_owing ON heads (thread_id) WHERE undelivered > 0;

-- Who asked to be forgotten, up to which update order.
CREATE TABLE erasures (
    thread_id    BLOB    NOT NULL,
    upto         INTEGER NOT NULL,
    requested_at INTEGER NOT NULL,
    PRIMARY KEY (thread_id, upto)
) STRICT, WITHOUT ROWID;

-- What could not be taken in, raw, with the error that stopped it.
CREATE TABLE quarantine (
    pos         INTEGER PRIMARY KEY,
    dedup_key   TEXT    NOT NULL UNIQUE,
    thread_id   BLOB,
    raw         BLOB,
    error       TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    replayed_at INTEGER
) STRICT;

-- What this file knows of itself: whose it is, its origin, the epoch of update ids.
CREATE TABLE tier_meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Where an event of this journal has got to: durable (on a tier), aborted, learned (from a tier). No row: pending.
CREATE TABLE journal_state (
    event_id BLOB NOT NULL PRIMARY KEY,
    state    TEXT NOT NULL CHECK (state IN ('durable', 'aborted', 'learned'))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER events_keep_what_they_say BEFORE UPDATE OF
    pos, event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, commitment, hash
ON events BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TRIGGER events_lose_words_only_by_an_erasure BEFORE UPDATE OF payload ON events
WHEN new.payload IS NOT NULL OR NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.thread_id = old.thread_id)
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TRIGGER deliveries_keep_what_they_say BEFORE UPDATE OF
    pos, event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, commitment, hash, answers
ON deliveries BEGIN
    SELECT RAISE(ABORT, 'deliveries are append-only');
END;

CREATE TRIGGER deliveries_lose_words_only_by_an_erasure BEFORE UPDATE OF payload ON deliveries
WHEN new.payload IS NOT NULL OR NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.thread_id = old.thread_id)
BEGIN
    SELECT RAISE(ABORT, 'deliveries are append-only');
END;

CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries BEGIN
    SELECT RAISE(ABORT, 'deliveries are append-only');
END;
