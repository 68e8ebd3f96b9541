-- name: first
-- A thread's head, before its first turn.
INSERT INTO heads VALUES ($1, 0, 0, -1, '{}', NULL, true, 0);

-- name: put
-- What one turn writes: the head, the event, the row of the open conversation.
WITH head AS (
    UPDATE heads SET
        rev = $18, version = $6, ots = $7, head_ids = $19, last_conversation_id = $20, undelivered = undelivered + $21
    WHERE thread_id = $2 AND rev = $18 - 1 AND head_ids = $8
    RETURNING rev
), event AS (
    INSERT INTO events (
        event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
        dedup_key, occurred_at, received_at, facts, payload, commitment, hash
    ) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 FROM head
), state AS (
    INSERT INTO conversation_states SELECT $22, $23, $24, $25, $26, $27, $28, $29 FROM head
    ON CONFLICT (user_id, chat_id, conversation_type) DO UPDATE SET
        current_step = excluded.current_step, state_data = excluded.state_data, started_at = excluded.started_at,
        updated_at = excluded.updated_at, expires_at = excluded.expires_at
)
SELECT rev FROM head;

-- name: drop
-- What the turn writes that ends a conversation.
WITH head AS (
    UPDATE heads SET
        rev = $18, version = $6, ots = $7, head_ids = $19, last_conversation_id = $20, undelivered = undelivered + $21
    WHERE thread_id = $2 AND rev = $18 - 1 AND head_ids = $8
    RETURNING rev
), event AS (
    INSERT INTO events (
        event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
        dedup_key, occurred_at, received_at, facts, payload, commitment, hash
    ) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 FROM head
), state AS (
    DELETE FROM conversation_states
    WHERE user_id = $22 AND chat_id = $23 AND conversation_type = $24 AND EXISTS (SELECT FROM head)
)
SELECT rev FROM head;
