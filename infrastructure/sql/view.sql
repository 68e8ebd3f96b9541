-- What a tier holds, read piece by piece to be compared. Nothing is changed.

-- name: threads
SELECT DISTINCT thread_id FROM events WHERE thread_id > $1 ORDER BY thread_id LIMIT $2;

-- name: events
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM events WHERE thread_id = ANY ($1::uuid[]);

-- name: conversation_states
-- A table's rows as the projections write them: identities as text, times as microseconds.
SELECT user_id, chat_id, conversation_type, current_step, state_data,
    (extract(epoch FROM started_at) * 1000000)::bigint, (extract(epoch FROM updated_at) * 1000000)::bigint,
    (extract(epoch FROM expires_at) * 1000000)::bigint
FROM conversation_states WHERE user_id = ANY ($1::bigint[]);

-- name: user_machines
SELECT machine_id::text, user_id, nickname, manufacturer, model_number, serial_number, location, notes,
    photo_file_id, ocr_data,
    (extract(epoch FROM created_at) * 1000000)::bigint, (extract(epoch FROM updated_at) * 1000000)::bigint
FROM user_machines WHERE user_id = ANY ($1::bigint[]);

-- name: photos_wanted
SELECT event_id::text, user_id, chat_id, file_id, file_size FROM photos_wanted WHERE user_id = ANY ($1::bigint[]);

-- name: persons
-- The next people who have rows.
SELECT DISTINCT user_id FROM (
    SELECT user_id FROM conversation_states
    UNION ALL SELECT user_id FROM user_machines
    UNION ALL SELECT user_id FROM photos_wanted
) AS owners
WHERE user_id > $1 ORDER BY user_id LIMIT $2;
