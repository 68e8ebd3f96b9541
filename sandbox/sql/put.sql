-- Keep a thing, or the newer form of it in the same place.
INSERT INTO things (kind, key, body) VALUES (?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body
