-- What Holdfast sets for its own connection.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
