-- The journal beside tiers: what each tier was given of it, and which of its events count.

-- How far each tier (by the identity it was made with) has been given this journal, by the tables' `pos`; and the
-- greatest canary seen there: a tier that shows a smaller one has come back with old data.
CREATE TABLE cursors (
    tier       TEXT    NOT NULL PRIMARY KEY,
    events     INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    canary     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The events that count: all but those whose turn a tier refused, since another event had come first.
CREATE VIEW kept_events AS
SELECT * FROM events
WHERE NOT EXISTS (SELECT 1 FROM journal_state WHERE journal_state.event_id = events.event_id AND state = 'aborted');
