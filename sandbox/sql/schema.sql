-- Everything that is kept, by kind and key; the body is MessagePack. The file is opened with this.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS things (kind TEXT, key TEXT, body BLOB, PRIMARY KEY (kind, key));
