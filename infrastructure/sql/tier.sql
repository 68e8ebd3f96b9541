-- The statements of a tier in PostgreSQL. Each has its name above it; each is one round trip and one transaction.

-- name: append_turn
-- One turn: its columns one by one, which the server reads faster than any row of them.
SELECT appended, rows_written, rev, head_ids, closed
FROM append_turn(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30
);

-- name: append_turns
-- Several turns, column by column. The threads' heads are locked in the order of their identities.
SELECT turn.place, done.appended, done.rows_written, done.rev, done.head_ids, done.closed
FROM (
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::bigint[], $7::bigint[], $8::text[],
        $9::uuid[], $10::bigint[], $11::text[], $12::bigint[], $13::bigint[], $14::text[], $15::bytea[],
        $16::bytea[], $17::bytea[],
        $18::bigint[], $19::text[], $20::integer[], $21::uuid[],
        $22::bigint[], $23::bigint[], $24::text[], $25::text[], $26::text[], $27::bigint[], $28::bigint[],
        $29::bigint[], $30::jsonb[]
    ) WITH ORDINALITY AS given (
        event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
        dedup_key, occurred_at, received_at, facts, payload, commitment, hash,
        expected_rev, expected_heads, owed, last_conversation,
        state_user, state_chat, state_type, state_step, state_data, state_started, state_updated, state_expires,
        changes, place
    )
    ORDER BY thread_id
) AS turn
CROSS JOIN LATERAL append_turn(
    turn.event_id, turn.thread_id, turn.conversation_id, turn.kind, turn.kind_version, turn.version, turn.ots,
    turn.parents, turn.origin, turn.origin_seq, turn.dedup_key, turn.occurred_at, turn.received_at, turn.facts,
    turn.payload, turn.commitment, turn.hash,
    turn.expected_rev, turn.expected_heads, turn.owed, turn.last_conversation,
    turn.state_user, turn.state_chat, turn.state_type, turn.state_step, turn.state_data, turn.state_started,
    turn.state_updated, turn.state_expires, turn.changes
) AS done;

-- name: push_records
-- Arrays of what needs no quoting come as their text.
SELECT thread, rev, head_ids, closed
FROM push_records(
    $1::text::uuid[], $2::text::uuid[], $3::text::uuid[], $4, $5::text::integer[], $6::text::bigint[],
    $7::text::bigint[], $8, $9::text::uuid[], $10::text::bigint[], $11, $12::text::bigint[], $13::text::bigint[],
    $14, $15, $16::text::bytea[], $17::text::bytea[], $18
);

-- name: settle_threads
-- The threads' heads are locked in the order of their identities.
SELECT place, settle_thread(
    thread_id, head_ids, version, ots, last_conversation_id, owed, user_id, changes
) AS settled
FROM (
    SELECT * FROM unnest(
        $1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[], $7::bigint[], $8::jsonb[]
    ) WITH ORDINALITY AS given (
        thread_id, head_ids, version, ots, last_conversation_id, owed, user_id, changes, place
    )
    ORDER BY thread_id
) AS settlement;

-- name: read_unsettled
SELECT thread_id FROM heads WHERE NOT settled AND thread_id > $1 ORDER BY thread_id LIMIT $2;

-- name: read_marks
SELECT thread_id, rev, head_ids, hint_valid FROM heads WHERE thread_id = ANY ($1::uuid[]);

-- name: read_thread
-- A thread's events and deliveries, as of one moment.
SELECT false AS delivers, event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM events WHERE thread_id = $1
UNION ALL
SELECT true, event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM deliveries WHERE thread_id = $1;

-- name: hold_leases
SELECT of_origin, was_away, alive FROM hold_leases($1, $2::uuid[], $3);

-- name: raise_canary
SELECT raise_canary() AS canary;

-- name: raise_seen
-- When any worker was there for the bot's people last, as this database was told: raised, never lowered. Gives what
-- stood there before.
WITH before AS (SELECT value::bigint AS at FROM tier_meta WHERE name = 'seen'),
raised AS (
    INSERT INTO tier_meta (name, value) VALUES ('seen', $1::bigint::text)
    ON CONFLICT (name) DO UPDATE SET value = greatest(tier_meta.value::bigint, excluded.value::bigint)::text
)
SELECT coalesce((SELECT at FROM before), 0) AS at;

-- name: name_bot
-- Whose this database is: the first bot's that came.
INSERT INTO tier_meta (name, value) VALUES ('bot_id', $1)
ON CONFLICT (name) DO UPDATE SET value = tier_meta.value RETURNING value;

-- name: name_key
-- The key that words are written under: the first that is one.
INSERT INTO tier_meta (name, value) VALUES ('key', $1)
ON CONFLICT (name) DO UPDATE SET value = CASE tier_meta.value WHEN 'none' THEN excluded.value ELSE tier_meta.value END
RETURNING value;

-- name: read_facts
-- What a tier says of itself. Beyond a hundred thousand the rows are not counted but taken from the server's estimate.
-- Transactions of people whom neither this role nor the owner may look at are not seen.
SELECT
    (SELECT value FROM tier_meta WHERE name = 'tier_id') AS tier_id,
    (SELECT value::bigint FROM tier_meta WHERE name = 'bot_id') AS bot_id,
    (SELECT value::bigint FROM tier_meta WHERE name = 'canary') AS canary,
    current_setting('server_version') AS server_version,
    current_user::text AS role,
    (
        SELECT bool_or(
            has_table_privilege(oid, 'UPDATE, DELETE, TRUNCATE') OR pg_has_role(relowner, 'USAGE')
        )
        FROM pg_class WHERE oid IN ('events'::regclass, 'deliveries'::regclass)
    ) AS owner,
    NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS writable,
    (SELECT array_to_string(array_agg(number ORDER BY number), ' ') FROM schema_migrations) AS migrations,
    greatest(transaction_age(), transaction_age_seen_by_owner()) AS xmin_age,
    (
        SELECT CASE WHEN counted < 100000 THEN counted ELSE greatest(counted, (
            SELECT reltuples::bigint FROM pg_class WHERE oid = 'events'::regclass
        )) END
        FROM (SELECT count(*) AS counted FROM (SELECT FROM events LIMIT 100000) AS part) AS counting
    ) AS events,
    (
        SELECT CASE WHEN counted < 100000 THEN counted ELSE greatest(counted, (
            SELECT reltuples::bigint FROM pg_class WHERE oid = 'deliveries'::regclass
        )) END
        FROM (SELECT count(*) AS counted FROM (SELECT FROM deliveries LIMIT 100000) AS part) AS counting
    ) AS deliveries;

-- name: pull_events
-- The tail behind a place, below every transaction still under way, without an origin's own rows: of $5 rows that are
-- looked at the first $4 that others wrote. The last row that was looked at comes too, whoever wrote it.
WITH looked_at AS (
    SELECT event_id, xid, pos, origin <> $3 AS others FROM events
    WHERE (xid, pos) > ($1::bigint::text::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY events.xid, events.pos LIMIT $5
),
picked AS (
    (SELECT event_id FROM looked_at WHERE others ORDER BY xid, pos LIMIT $4)
    UNION
    (
        SELECT event_id FROM looked_at
        WHERE (SELECT count(*) FROM looked_at WHERE others) < $4 ORDER BY xid DESC, pos DESC LIMIT 1
    )
)
SELECT xid::text::bigint AS xid, pos, origin <> $3 AS others,
    event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM picked JOIN events USING (event_id)
ORDER BY events.xid, events.pos;

-- name: read_held_back
-- Whether events stand there that a transaction still under way may come before.
SELECT EXISTS (SELECT FROM events WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())) AS held_back;

-- name: digest_events
SELECT received_at / 3600000000 AS hour, count(*), bit_xor(('x' || encode(substr(hash, 1, 8), 'hex'))::bit(64)::bigint)
FROM events WHERE received_at >= $1 GROUP BY 1;

-- name: hashes_events
SELECT event_id, hash FROM events WHERE received_at >= $1 AND received_at < $2;

-- name: records_events
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM events WHERE event_id = ANY ($1::uuid[]);

-- name: pull_deliveries
-- The tail behind a place, below every transaction still under way, without an origin's own rows: of $5 rows that are
-- looked at the first $4 that others wrote. The last row that was looked at comes too, whoever wrote it.
WITH looked_at AS (
    SELECT event_id, xid, pos, origin <> $3 AS others FROM deliveries
    WHERE (xid, pos) > ($1::bigint::text::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY deliveries.xid, deliveries.pos LIMIT $5
),
picked AS (
    (SELECT event_id FROM looked_at WHERE others ORDER BY xid, pos LIMIT $4)
    UNION
    (
        SELECT event_id FROM looked_at
        WHERE (SELECT count(*) FROM looked_at WHERE others) < $4 ORDER BY xid DESC, pos DESC LIMIT 1
    )
)
SELECT xid::text::bigint AS xid, pos, origin <> $3 AS others,
    event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM picked JOIN deliveries USING (event_id)
ORDER BY deliveries.xid, deliveries.pos;

-- name: digest_deliveries
SELECT received_at / 3600000000 AS hour, count(*), bit_xor(('x' || encode(substr(hash, 1, 8), 'hex'))::bit(64)::bigint)
FROM deliveries WHERE received_at >= $1 GROUP BY 1;

-- name: hashes_deliveries
SELECT event_id, hash FROM deliveries WHERE received_at >= $1 AND received_at < $2;

-- name: records_deliveries
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM deliveries WHERE event_id = ANY ($1::uuid[]);

-- name: lock_series
-- Who appends to a series of an application's events does it alone, to the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('holdfast series ' || $1, 0));

-- name: read_last_of_series
-- The greatest place that has been given out in a series of an application's events.
SELECT coalesce(max(ots), 0) FROM events WHERE kind = 'aggregate.recorded' AND facts::jsonb ->> 'series' = $1;

-- name: read_thread_heads
-- Threads' heads, each beside the events it names and their hashes.
SELECT heads.thread_id, heads.rev, heads.version, heads.ots, heads.head_ids, heads.last_conversation_id,
    ARRAY(
        SELECT events.hash FROM unnest(heads.head_ids) WITH ORDINALITY AS head (event_id, place)
        JOIN events USING (event_id) ORDER BY head.place
    ) AS head_hashes
FROM heads WHERE thread_id = ANY ($1::uuid[]);

-- name: read_taken_keys
-- Which of these keys, each in the thread beside it, stand there already.
SELECT asked.thread_id, asked.dedup_key FROM unnest($1::uuid[], $2::text[]) AS asked (thread_id, dedup_key)
WHERE EXISTS (
    SELECT FROM events WHERE events.thread_id = asked.thread_id AND events.dedup_key = asked.dedup_key
);

-- name: read_latest_keys
SELECT thread_id, max(dedup_key) FROM events WHERE thread_id = ANY ($1::uuid[]) GROUP BY thread_id;

-- name: read_recorded
-- Some of an aggregate's events, lowest version first; of a version that was written twice the counted one is first.
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM events WHERE thread_id = $1 AND dedup_key BETWEEN $2 AND $3
ORDER BY dedup_key, ots, version, event_id LIMIT $4;

-- name: read_recorded_backwards
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM events WHERE thread_id = $1 AND dedup_key BETWEEN $2 AND $3
ORDER BY dedup_key DESC, ots, version, event_id LIMIT $4;

-- name: read_series
-- Some events of a series, in their order.
SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin,
    origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
FROM events
WHERE kind = 'aggregate.recorded' AND facts::jsonb ->> 'series' = $1 AND ots BETWEEN $2 AND $3
ORDER BY ots, event_id LIMIT $4;
