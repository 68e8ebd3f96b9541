-- Everything of one kind, in the order in which it first came.
SELECT key, body FROM things WHERE kind = ? ORDER BY rowid
