-- Forget a thing.
DELETE FROM things WHERE kind = ? AND key = ?
