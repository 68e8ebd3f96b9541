-- What time brings to people: when may they be spoken to.

-- The inputs in which people named their time zones. Other events have no part in this index.
CREATE INDEX events_of_zones ON events (thread_id, ots, version)
WHERE kind = 'thread.noted' AND facts LIKE '%"rule":"timezone"%';
