-- A journal reaches a tier at twice the speed.

-- Insert what is not there, comparing nothing; say where the threads of the events stand.
--
-- `is_delivery` tells the records of `deliveries` from those of `events`. A thread that was closed has its heads
-- found from the new events alone: none that was there before can name one of them. Where a parent is neither a head
-- nor new, and where a thread lacked one before, all its events are read. A thread with new events is not settled: what
-- they do to rows and debts is not known here. A delivery settles the debt of its event, or of a copy of its input in
-- which the same was decided. Of a record that is there with another hash the row is kept aside; that is looked for
-- only when one of the records was there.
CREATE OR REPLACE FUNCTION push_records(
    event_ids uuid[], thread_ids uuid[], conversation_ids uuid[], kinds text[], kind_versions integer[],
    versions bigint[], otss bigint[], parentss text[], origins uuid[], origin_seqs bigint[], dedup_keys text[],
    occurred_ats bigint[], received_ats bigint[], factss text[], payloads bytea[], commitments bytea[],
    hashes bytea[], is_delivery boolean[]
) RETURNS TABLE (thread uuid, rev bigint, head_ids uuid[], closed boolean)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    fresh_events bigint := 0;
    fresh_deliveries bigint := 0;
    gaping uuid[];
BEGIN
    PERFORM be_durable();

    -- The threads' rows are made and locked in one order, whatever else is under way.
    INSERT INTO heads (thread_id, rev, version, ots, head_ids, hint_valid, undelivered)
    SELECT DISTINCT given.thread_id, 0, 0, -1, '{}'::uuid[], true, 0
    FROM unnest(thread_ids) AS given (thread_id) ORDER BY given.thread_id
    ON CONFLICT (thread_id) DO UPDATE SET rev = heads.rev WHERE false;

    IF false = ANY (is_delivery) THEN
        WITH put AS (
            INSERT INTO events (
                event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
                dedup_key, occurred_at, received_at, facts, payload, commitment, hash
            )
            SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents::uuid[], origin,
                origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash
            FROM unnest(
                event_ids, thread_ids, conversation_ids, kinds, kind_versions, versions, otss, parentss, origins,
                origin_seqs, dedup_keys, occurred_ats, received_ats, factss, payloads, commitments, hashes, is_delivery
            ) AS given (
                event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
                dedup_key, occurred_at, received_at, facts, payload, commitment, hash, delivers
            )
            WHERE NOT delivers
            ON CONFLICT (event_id) DO NOTHING
            RETURNING event_id, thread_id, version, ots, parents
        ),
        added AS (
            SELECT thread_id, max(version) AS version, max(ots) AS ots,
                array_agg(id) FILTER (WHERE own) AS ids,
                coalesce(array_agg(id) FILTER (WHERE NOT own), '{}') AS named
            FROM (
                SELECT thread_id, version, ots, event_id AS id, true AS own FROM put
                UNION ALL
                SELECT thread_id, version, ots, unnest(parents), false FROM put
            ) AS part
            GROUP BY thread_id
        ),
        moved AS (
            UPDATE heads SET
                rev = heads.rev + 1,
                version = greatest(heads.version, added.version),
                ots = greatest(heads.ots, added.ots),
                head_ids = ARRAY(
                    SELECT unnest(heads.head_ids || added.ids) AS id EXCEPT SELECT unnest(added.named) ORDER BY id
                ),
                hint_valid = hint_valid AND NOT EXISTS (
                    SELECT unnest(added.named) EXCEPT SELECT unnest(heads.head_ids || added.ids)
                ),
                settled = false
            FROM added WHERE heads.thread_id = added.thread_id
            RETURNING heads.thread_id, hint_valid
        )
        SELECT (SELECT count(*) FROM put), (SELECT array_agg(thread_id) FROM moved WHERE NOT hint_valid)
        INTO fresh_events, gaping;

        IF gaping IS NOT NULL THEN
            UPDATE heads SET
                head_ids = heads_after(
                    ARRAY(SELECT events.event_id FROM events WHERE events.thread_id = heads.thread_id),
                    named_in(heads.thread_id), '{}'
                ),
                hint_valid = all_there(named_in(heads.thread_id))
            WHERE heads.thread_id = ANY (gaping);
        END IF;
    END IF;

    IF true = ANY (is_delivery) THEN
        WITH put AS (
            INSERT INTO deliveries (
                event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
                dedup_key, occurred_at, received_at, facts, payload, commitment, hash, answers
            )
            SELECT event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents::uuid[], origin,
                origin_seq, dedup_key, occurred_at, received_at, facts, payload, commitment, hash, (parents::uuid[])[1]
            FROM unnest(
                event_ids, thread_ids, conversation_ids, kinds, kind_versions, versions, otss, parentss, origins,
                origin_seqs, dedup_keys, occurred_ats, received_ats, factss, payloads, commitments, hashes, is_delivery
            ) AS given (
                event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
                dedup_key, occurred_at, received_at, facts, payload, commitment, hash, delivers
            )
            WHERE delivers
            ON CONFLICT (event_id) DO NOTHING
            RETURNING thread_id, answers
        ),
        met AS (
            SELECT put.thread_id, array_agg(copy.event_id) AS ids FROM put
            JOIN heads ON heads.thread_id = put.thread_id AND heads.undelivered > 0
            JOIN events AS answered ON answered.event_id = put.answers
            JOIN events AS copy ON copy.thread_id = answered.thread_id AND copy.dedup_key = answered.dedup_key
                AND copy.kind = answered.kind AND copy.facts = answered.facts
            GROUP BY put.thread_id
        ),
        paid AS (
            UPDATE heads SET
                owed = heads_after(heads.owed, met.ids, '{}'),
                undelivered = cardinality(heads_after(heads.owed, met.ids, '{}'))
            FROM met WHERE heads.thread_id = met.thread_id
        )
        SELECT count(*) INTO fresh_deliveries FROM put;
    END IF;

    IF fresh_events + fresh_deliveries < cardinality(event_ids) THEN
        INSERT INTO quarantine (dedup_key, thread_id, raw, error, received_at)
        SELECT 'twin:' || given.event_id || ':' || encode(given.hash, 'hex'), given.thread_id,
            convert_to(row_to_json(given)::text, 'UTF8'), 'another record has this identity',
            floor(extract(epoch FROM clock_timestamp()) * 1000000)
        FROM unnest(
            event_ids, thread_ids, conversation_ids, kinds, kind_versions, versions, otss, parentss, origins,
            origin_seqs, dedup_keys, occurred_ats, received_ats, factss, payloads, commitments, hashes, is_delivery
        ) AS given (
            event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
            dedup_key, occurred_at, received_at, facts, payload, commitment, hash, delivers
        )
        WHERE EXISTS (
            SELECT FROM events WHERE NOT delivers AND events.event_id = given.event_id AND events.hash <> given.hash
            UNION ALL
            SELECT FROM deliveries
            WHERE delivers AND deliveries.event_id = given.event_id AND deliveries.hash <> given.hash
        )
        ON CONFLICT (dedup_key) DO NOTHING;
    END IF;

    RETURN QUERY SELECT heads.thread_id, heads.rev, heads.head_ids, heads.hint_valid FROM heads
    WHERE heads.thread_id IN (
        SELECT given.thread_id FROM unnest(thread_ids, is_delivery) AS given (thread_id, delivers) WHERE NOT delivers
    );
END $$;
