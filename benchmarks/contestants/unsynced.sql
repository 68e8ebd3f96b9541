-- For filling a journal that may be lost.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
