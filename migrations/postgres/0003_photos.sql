-- Pictures: which are still to be fetched, and the bytes of those that were.

-- Photos whose bytes are not kept yet; folded from the events like every projection.
CREATE TABLE photos_wanted (
    event_id  uuid   NOT NULL PRIMARY KEY,
    user_id   bigint NOT NULL,
    chat_id   bigint NOT NULL,
    file_id   text   NOT NULL,
    file_size bigint NOT NULL
);

CREATE INDEX photos_wanted_of_user ON photos_wanted (user_id);

-- The bytes, by the SHA-256 of what they are; each person's apart, so that one can be forgotten.
CREATE TABLE blobs (
    thread_id uuid   NOT NULL,
    digest    bytea  NOT NULL CHECK (length(digest) = 32),
    content   bytea  NOT NULL,
    stored_at bigint NOT NULL,
    PRIMARY KEY (thread_id, digest)
);
