-- Pictures: which are still to be fetched, and the bytes of those that were.

-- Photos whose bytes are not kept yet; folded from the events like every projection.
CREATE TABLE photos_wanted (
    event_id  TEXT    NOT NULL PRIMARY KEY,
    user_id   INTEGER NOT NULL,
    chat_id   INTEGER NOT NULL,
    file_id   TEXT    NOT NULL,
    file_size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The bytes, by the SHA-256 of what they are; each person's apart, so that one can be forgotten.
CREATE TABLE blobs (
    thread_id BLOB    NOT NULL CHECK (length(thread_id) = 16),
    digest    BLOB    NOT NULL CHECK (length(digest) = 32),
    content   BLOB    NOT NULL,
    stored_at INTEGER NOT NULL,
    PRIMARY KEY (thread_id, digest)
) STRICT;
