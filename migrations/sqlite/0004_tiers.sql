-- The journal beside tiers: what each tier was given of it, and which of its events count.

-- How far each tier (by the identity it was made with) has been given this journal, by the tables' `pos`; the
-- greatest canary seen there; and how far its own tail was read, by transaction and position.
CREATE TABLE cursors (
    tier           TEXT    NOT NULL PRIMARY KEY,
    events         INTEGER NOT NULL,
    deliveries     INTEGER NOT NULL,
    canary         INTEGER NOT NULL,
    events_xid     INTEGER NOT NULL,
    events_pos     INTEGER NOT NULL,
    deliveries_xid INTEGER NOT NULL,
    deliveries_pos INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is compared with a tier, hour by hour, without a look at the rows themselves.
CREATE INDEX events_received ON events (received_at, event_id, hash);
CREATE INDEX deliveries_received ON deliveries (received_at, event_id, hash);

-- The events that count: all but those whose turn a tier refused, since another event had come first.
CREATE VIEW kept_events AS
SELECT * FROM events
WHERE NOT EXISTS (SELECT 1 FROM journal_state WHERE journal_state.event_id = events.event_id AND state = 'aborted');
