-- The statements of the journal. Each has its name above it; `sql.py` reads them.

-- name: write_head
-- Move a thread's head on, if it still stands where the turn was decided; otherwise no row changes.
INSERT INTO heads (thread_id, rev, version, ots, head_ids, last_conversation_id, hint_valid, owed, undelivered)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, length(?7) / 33
WHERE ?8 = 0 OR EXISTS (SELECT 1 FROM heads WHERE thread_id = ?1)
ON CONFLICT (thread_id) DO UPDATE SET
    rev = excluded.rev,
    version = excluded.version,
    ots = excluded.ots,
    head_ids = excluded.head_ids,
    last_conversation_id = excluded.last_conversation_id,
    owed = heads.owed || excluded.owed,
    undelivered = heads.undelivered + excluded.undelivered
WHERE heads.rev = ?8 AND heads.head_ids = ?9;

-- name: insert_event
INSERT INTO events (
    event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: settle_head
-- A reply met its fate; the thread is owed one less, unless that reply was not owed.
UPDATE heads SET owed = replace(owed, hex(?2) || ' ', ''), undelivered = undelivered - 1
WHERE thread_id = ?1 AND undelivered > 0 AND instr(owed, hex(?2) || ' ') > 0;

-- name: read_alike
-- The other copies of an event's input in which the same was decided.
SELECT copy.event_id FROM events AS event
JOIN events AS copy ON copy.thread_id = event.thread_id AND copy.dedup_key = event.dedup_key
    AND copy.kind = event.kind AND copy.facts = event.facts AND copy.event_id <> event.event_id
WHERE event.event_id = ?;

-- name: read_answered
-- Whether the reply to an event, or to a copy of its input in which the same was decided, has met its fate.
SELECT 1 FROM events AS event
JOIN events AS copy ON copy.thread_id = event.thread_id AND copy.dedup_key = event.dedup_key
    AND copy.kind = event.kind AND copy.facts = event.facts
JOIN deliveries ON deliveries.answers = copy.event_id
WHERE event.event_id = ? LIMIT 1;

-- name: insert_delivery
INSERT INTO deliveries (
    event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash, answers
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: insert_quarantine
INSERT INTO quarantine (dedup_key, thread_id, raw, error, received_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (dedup_key) DO NOTHING;

-- name: settle_quarantine
UPDATE quarantine SET replayed_at = ? WHERE dedup_key = ?;

-- name: insert_blob
INSERT INTO blobs (thread_id, digest, content, stored_at) VALUES (?, ?, ?, ?)
ON CONFLICT (thread_id, digest) DO NOTHING;

-- name: put_photos_wanted
INSERT INTO photos_wanted (event_id, user_id, chat_id, file_id, file_size) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (event_id) DO UPDATE SET
    user_id = excluded.user_id,
    chat_id = excluded.chat_id,
    file_id = excluded.file_id,
    file_size = excluded.file_size;

-- name: drop_photos_wanted
DELETE FROM photos_wanted WHERE event_id = ?;

-- name: write_meta
INSERT INTO tier_meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: put_conversation_states
INSERT INTO conversation_states (
    user_id, chat_id, conversation_type, current_step, state_data, started_at, updated_at, expires_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (user_id, chat_id, conversation_type) DO UPDATE SET
    current_step = excluded.current_step,
    state_data = excluded.state_data,
    started_at = excluded.started_at,
    updated_at = excluded.updated_at,
    expires_at = excluded.expires_at;

-- name: drop_conversation_states
DELETE FROM conversation_states WHERE user_id = ? AND chat_id = ? AND conversation_type = ?;

-- name: put_user_machines
INSERT INTO user_machines (
    machine_id, user_id, nickname, manufacturer, model_number, serial_number, location, notes, photo_file_id,
    ocr_data, created_at, updated_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (machine_id) DO UPDATE SET
    user_id = excluded.user_id,
    nickname = excluded.nickname,
    manufacturer = excluded.manufacturer,
    model_number = excluded.model_number,
    serial_number = excluded.serial_number,
    location = excluded.location,
    notes = excluded.notes,
    photo_file_id = excluded.photo_file_id,
    ocr_data = excluded.ocr_data,
    created_at = excluded.created_at,
    updated_at = excluded.updated_at;

-- name: drop_user_machines
DELETE FROM user_machines WHERE machine_id = ?;

-- name: all_photos_wanted
SELECT event_id, user_id, chat_id, file_id, file_size FROM photos_wanted ORDER BY event_id;

-- name: one_photos_wanted
SELECT event_id, user_id, chat_id, file_id, file_size FROM photos_wanted WHERE event_id = ?;

-- name: read_blob
SELECT content FROM blobs WHERE thread_id = ? AND digest = ?;

-- name: read_quarantine
SELECT dedup_key, thread_id, raw, error, received_at, replayed_at FROM quarantine ORDER BY pos;

-- name: read_meta
SELECT name, value FROM tier_meta;

-- name: drop_empty_meta
DELETE FROM tier_meta WHERE value = '';

-- name: read_head
SELECT rev, version, ots, head_ids, last_conversation_id FROM heads WHERE thread_id = ?;

-- name: read_head_events
-- The head beside each event it names and that event's hash, read as of one moment; head_ids holds 16 bytes for each.
WITH RECURSIVE part (n) AS (
    SELECT 0
    UNION ALL
    SELECT n + 1 FROM part, heads WHERE heads.thread_id = ?1 AND (n + 1) * 16 < length(heads.head_ids)
)
SELECT heads.rev, heads.version, heads.ots, heads.head_ids, heads.last_conversation_id, events.event_id, events.hash
FROM part
JOIN heads ON heads.thread_id = ?1
LEFT JOIN events ON events.event_id = substr(heads.head_ids, n * 16 + 1, 16);

-- name: read_hint
-- The conversation that was started or taken up last, most often the only one a turn needs; and what other copies its
-- inputs have, since after a fork one of these may count instead.
WITH mine AS MATERIALIZED (
    SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
        dedup_key, occurred_at, received_at, facts, payload, commitment, hash
    FROM kept_events
    WHERE thread_id = ?1 AND conversation_id = (SELECT last_conversation_id FROM heads WHERE thread_id = ?1)
)
SELECT * FROM mine
UNION ALL
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events
WHERE thread_id = ?1 AND dedup_key IN (SELECT dedup_key FROM mine)
    AND conversation_id IS NOT (SELECT last_conversation_id FROM heads WHERE thread_id = ?1);

-- name: read_zone
-- The input in which a person named their time zone last.
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events
WHERE thread_id = ? AND kind = 'thread.noted' AND json_extract(facts, '$.rule') = 'timezone'
ORDER BY ots DESC, version DESC, event_id DESC LIMIT 1;

-- name: read_due
-- What is due next, behind a place in its order. A row of before there were timers is due when it expires.
SELECT due_at, user_id, chat_id, conversation_type
FROM (
    SELECT user_id, chat_id, conversation_type, coalesce(
        json_extract(state_data, '$.due_at'), CAST(strftime('%s', expires_at) AS INTEGER) * 1000000
    ) AS due_at
    FROM conversation_states
)
WHERE due_at <= ?1 AND (due_at, user_id, chat_id, conversation_type) > (?2, ?3, ?4, ?5)
ORDER BY due_at, user_id, chat_id, conversation_type LIMIT ?6;

-- name: read_event
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM events WHERE event_id = ?;

-- name: read_conversation
-- One conversation, and what other copies its inputs have.
WITH mine AS MATERIALIZED (
    SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
        dedup_key, occurred_at, received_at, facts, payload, commitment, hash
    FROM kept_events WHERE thread_id = ?1 AND conversation_id = ?2
)
SELECT * FROM mine
UNION ALL
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events
WHERE thread_id = ?1 AND dedup_key IN (SELECT dedup_key FROM mine) AND conversation_id IS NOT ?2;

-- name: read_copies
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events WHERE thread_id = ? AND dedup_key = ?;

-- name: read_thread
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events WHERE thread_id = ?;

-- name: read_threads
-- The next threads that have events, in the order of their identities.
SELECT thread_id FROM heads WHERE thread_id > ? ORDER BY thread_id LIMIT ?;

-- name: read_forked
-- The threads that have several ends; head_ids holds 16 bytes for each.
SELECT thread_id FROM heads WHERE length(head_ids) > 16;

-- name: thread_of_conversation
SELECT thread_id FROM events WHERE conversation_id = ? LIMIT 1;

-- name: read_owed
-- The events of a thread that have no delivery, in canonical order: this worker's own, of which some may owe no reply;
-- and those that other workers wrote and owe a reply, with their origin. What this worker wrote and was told of by a
-- tier is its own; what was imported is nobody's debt here, since an export has no deliveries.
SELECT debt.event_id, debt.others FROM (
    SELECT event_id, ots, version, CASE
        WHEN state IS NULL OR lower(hex(origin)) = (SELECT value FROM tier_meta WHERE name = 'origin') THEN NULL
        ELSE origin
    END AS others
    FROM events LEFT JOIN journal_state USING (event_id)
    WHERE thread_id = ?1 AND state IS NOT 'aborted'
) AS debt
WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE answers = debt.event_id)
    AND (others IS NULL OR instr((SELECT owed FROM heads WHERE heads.thread_id = ?1), hex(debt.event_id)) > 0)
    AND NOT EXISTS (SELECT 1 FROM tier_meta WHERE name = 'imported:' || lower(hex(debt.others)))
ORDER BY debt.ots, debt.version, debt.event_id;

-- name: read_owing
SELECT thread_id FROM heads WHERE undelivered > 0 AND thread_id > ? ORDER BY thread_id LIMIT ?;

-- name: read_delivered
SELECT 1 FROM deliveries WHERE answers = ? LIMIT 1;

-- name: read_deliveries
-- The deliveries of a thread, oldest first.
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM deliveries WHERE thread_id = ? ORDER BY pos;

-- name: read_answered_by
SELECT event_id, answers FROM deliveries WHERE thread_id = ?;

-- name: read_touched
SELECT conversation_type, updated_at FROM conversation_states WHERE user_id = ?;

-- name: read_machines
SELECT machine_id, nickname, manufacturer, model_number, serial_number, location, notes, photo_file_id, ocr_data,
    created_at, updated_at
FROM user_machines WHERE user_id = ?;

-- name: read_origin_seq
-- The greatest number this origin has given out; turns in flight at once are far fewer than these rows.
SELECT max(origin_seq) FROM (
    SELECT * FROM (SELECT origin, origin_seq FROM events ORDER BY pos DESC LIMIT 10000)
    UNION ALL
    SELECT * FROM (SELECT origin, origin_seq FROM deliveries ORDER BY pos DESC LIMIT 10000)
) WHERE origin = ?;

-- name: read_last_input
-- The newest input, to know when updates last came; what time or the world brings, or an application, is none.
SELECT ots, received_at FROM events
WHERE kind NOT IN (
    'aggregate.recorded', 'conversation.expired', 'conversation.reminded', 'inputs.missing', 'nameplate.read',
    'photo.stored', 'question.repeated', 'thread.merged'
)
ORDER BY pos DESC LIMIT 1;

-- name: read_debt
SELECT undelivered FROM heads WHERE thread_id = ?;

-- name: read_erasure
SELECT 1 FROM erasures WHERE thread_id = ? LIMIT 1;

-- name: read_figures
-- How many replies are owed, and how many inputs wait in quarantine.
SELECT
    (SELECT coalesce(sum(undelivered), 0) FROM heads WHERE undelivered > 0),
    (SELECT count(*) FROM quarantine WHERE replayed_at IS NULL);

-- name: read_counts
SELECT (SELECT count(*) FROM kept_events), (SELECT count(*) FROM deliveries), (SELECT count(*) FROM quarantine);

-- name: all_conversation_states
SELECT user_id, chat_id, conversation_type, current_step, state_data, started_at, updated_at, expires_at
FROM conversation_states ORDER BY user_id, chat_id, conversation_type;

-- name: all_user_machines
SELECT machine_id, user_id, nickname, manufacturer, model_number, serial_number, location, notes, photo_file_id,
    ocr_data, created_at, updated_at
FROM user_machines ORDER BY machine_id;

-- name: insert_learned_event
INSERT INTO events (
    event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (event_id) DO NOTHING;

-- name: insert_learned_delivery
INSERT INTO deliveries (
    event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash, answers
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (event_id) DO NOTHING;

-- name: put_event_state
-- An event that was refused once is refused for good; one that was learned may still be.
INSERT INTO journal_state (event_id, state) VALUES (?, ?)
ON CONFLICT (event_id) DO UPDATE SET state = excluded.state WHERE state <> 'aborted';

-- name: settle_union
UPDATE heads SET hint_valid = ?2, owed = ?3, undelivered = length(?3) / 33 WHERE thread_id = ?1;

-- name: clear_conversation_states
DELETE FROM conversation_states WHERE user_id = ?;

-- name: clear_user_machines
DELETE FROM user_machines WHERE user_id = ?;

-- name: clear_photos_wanted
DELETE FROM photos_wanted WHERE user_id = ?;

-- name: read_closed
SELECT hint_valid FROM heads WHERE thread_id = ?;

-- name: is_kept
SELECT 1 FROM kept_events WHERE event_id = ? AND thread_id = ?;

-- name: read_waiting
SELECT user_id, chat_id, conversation_type, json_extract(state_data, '$.conversation_id') FROM conversation_states
WHERE updated_at <= ? AND (user_id, chat_id, conversation_type) > (?, ?, ?)
ORDER BY user_id, chat_id, conversation_type LIMIT ?;

-- name: read_threads_between
SELECT DISTINCT thread_id FROM events
WHERE received_at BETWEEN ? AND ? AND thread_id > ? ORDER BY thread_id LIMIT ?;

-- name: read_unsent
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events WHERE thread_id = ? AND pos > ? ORDER BY pos;

-- name: read_tail_events
SELECT pos, event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events WHERE pos > ? ORDER BY pos LIMIT ?;

-- name: read_tail_deliveries
SELECT pos, event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM deliveries WHERE pos > ? ORDER BY pos LIMIT ?;

-- name: read_settlement
-- A thread's head; what it owes, as told to whom was given the deliveries up to a place; and one of its inputs that names
-- the chat it came from.
SELECT head_ids, version, ots, last_conversation_id, owed || coalesce((
    SELECT group_concat(hex(answers) || ' ', '') FROM deliveries
    WHERE deliveries.thread_id = heads.thread_id AND deliveries.pos > ?2
        AND EXISTS (SELECT 1 FROM kept_events WHERE kept_events.event_id = answers)
), ''), (
    SELECT dedup_key FROM events
    WHERE events.thread_id = heads.thread_id AND dedup_key >= 'tg:' AND dedup_key < 'tg;' LIMIT 1
)
FROM heads WHERE thread_id = ?1 AND hint_valid = 1;

-- name: person_conversation_states
SELECT user_id, chat_id, conversation_type, current_step, state_data, started_at, updated_at, expires_at
FROM conversation_states WHERE user_id = ?;

-- name: person_user_machines
SELECT machine_id, user_id, nickname, manufacturer, model_number, serial_number, location, notes, photo_file_id,
    ocr_data, created_at, updated_at
FROM user_machines WHERE user_id = ?;

-- name: person_photos_wanted
SELECT event_id, user_id, chat_id, file_id, file_size FROM photos_wanted WHERE user_id = ?;

-- name: read_cursors
SELECT tier, events, deliveries, canary, events_xid, events_pos, deliveries_xid, deliveries_pos FROM cursors;

-- name: write_cursor
INSERT INTO cursors (tier, events, deliveries, canary, events_xid, events_pos, deliveries_xid, deliveries_pos)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tier) DO UPDATE SET
    events = excluded.events,
    deliveries = excluded.deliveries,
    canary = excluded.canary,
    events_xid = excluded.events_xid,
    events_pos = excluded.events_pos,
    deliveries_xid = excluded.deliveries_xid,
    deliveries_pos = excluded.deliveries_pos;

-- name: next_events
-- When the first event at or behind a moment was received; null when there is none.
SELECT min(received_at) FROM events WHERE received_at >= ?;

-- name: next_deliveries
SELECT min(received_at) FROM deliveries WHERE received_at >= ?;

-- name: hour_of_events
-- How many events of one hour count, and the first eight bytes of their hashes one behind the other.
SELECT count(*), group_concat(hex(substr(hash, 1, 8)), '')
FROM kept_events WHERE received_at >= ?1 AND received_at < ?1 + 3600000000;

-- name: hour_of_deliveries
SELECT count(*), group_concat(hex(substr(hash, 1, 8)), '')
FROM deliveries WHERE received_at >= ?1 AND received_at < ?1 + 3600000000;

-- name: hashes_events
SELECT event_id, hash FROM kept_events WHERE received_at >= ?1 AND received_at < ?2;

-- name: hashes_deliveries
SELECT event_id, hash FROM deliveries WHERE received_at >= ?1 AND received_at < ?2;

-- name: read_delivery
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM deliveries WHERE event_id = ?;

-- name: read_backlog
-- What stands behind a tier's cursor: how many events, how many deliveries, and when the oldest of them came.
SELECT
    (SELECT count(*) FROM kept_events WHERE pos > ?1),
    (SELECT count(*) FROM deliveries WHERE pos > ?2),
    (
        SELECT min(received_at) FROM (
            SELECT * FROM (SELECT received_at FROM kept_events WHERE pos > ?1 ORDER BY pos LIMIT 1)
            UNION ALL
            SELECT * FROM (SELECT received_at FROM deliveries WHERE pos > ?2 ORDER BY pos LIMIT 1)
        )
    );

-- name: read_last_of_series
-- The greatest place that has been given out in a series of an application's events.
SELECT coalesce(max(ots), 0) FROM events
WHERE kind = 'aggregate.recorded' AND json_extract(facts, '$.series') = ?;

-- name: read_latest_key
SELECT max(dedup_key) FROM kept_events WHERE thread_id = ?;

-- name: read_recorded
-- Some of an aggregate's events, lowest version first; of a version that was written twice the counted one is first.
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events WHERE thread_id = ? AND dedup_key BETWEEN ? AND ?
ORDER BY dedup_key, ots, version, event_id LIMIT ?;

-- name: read_recorded_backwards
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events WHERE thread_id = ? AND dedup_key BETWEEN ? AND ?
ORDER BY dedup_key DESC, ots, version, event_id LIMIT ?;

-- name: read_series
-- Some events of a series, in their order.
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
    dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM kept_events
WHERE kind = 'aggregate.recorded' AND json_extract(facts, '$.series') = ? AND ots BETWEEN ? AND ?
ORDER BY ots, event_id LIMIT ?;
