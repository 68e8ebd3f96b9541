-- What has been applied to a journal.

-- name: create_table
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    checksum   TEXT    NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

-- name: read_applied
SELECT number, checksum FROM schema_migrations ORDER BY number;

-- name: insert_applied
INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?);
