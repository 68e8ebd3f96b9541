-- What a thread is owed is named, not only counted; and a tier knows itself which of its threads nobody has settled, so
-- that any worker can see to it when the one that brought their events is no more.

ALTER TABLE heads
    -- The events that count and whose reply, or that of a copy in which the same was decided, has not met its fate.
    -- `undelivered` is their number.
    ADD COLUMN owed uuid[] NOT NULL DEFAULT '{}',
    -- Whether the rows, and what is owed, are what the events amount to.
    ADD COLUMN settled boolean NOT NULL DEFAULT true;

CREATE INDEX heads_unsettled ON heads (thread_id) WHERE NOT settled;

UPDATE heads SET settled = false WHERE undelivered > 0;

-- Append one turn, if its thread still stands where it is expected; otherwise say where it stands.
--
-- Identities in a row travel as the text of an array. The first row of an open conversation travels in columns of
-- its own (no `state_type`: there is none), all other rows in `changes`. The rows are right only on top of exactly
-- the parents' rows, so they are left alone where the heads were not the parents, a parent is missing, or the thread
-- was not settled.
-- Sequential scans are off, since a plan made while the tables were small is kept while they grow.
CREATE OR REPLACE FUNCTION append_turn(
    event_id uuid, thread_id uuid, conversation_id uuid, kind text, kind_version integer, version bigint, ots bigint,
    parents text, origin uuid, origin_seq bigint, dedup_key text, occurred_at bigint, received_at bigint, facts text,
    payload bytea, commitment bytea, hash bytea,
    expected_rev bigint, expected_heads text, owed integer, last_conversation uuid,
    state_user bigint, state_chat bigint, state_type text, state_step text, state_data text, state_started bigint,
    state_updated bigint, state_expires bigint, changes jsonb,
    OUT appended boolean, OUT rows_written boolean, OUT rev bigint, OUT head_ids uuid[], OUT closed boolean
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    stood uuid[] := expected_heads;
    named uuid[] := parents;
    stands uuid[] := ARRAY[append_turn.event_id];
    on_top boolean := named = stood OR (named <@ stood AND stood <@ named);
    known boolean := true;
    owing uuid[] := CASE WHEN append_turn.owed > 0 THEN stands ELSE '{}' END;
BEGIN
    IF current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN
        PERFORM be_durable();
    END IF;
    IF NOT on_top THEN
        stands := heads_after(stood, named, stands);
        known := named <@ stood OR all_there(named);
    END IF;
    UPDATE heads SET
        rev = heads.rev + 1,
        version = greatest(heads.version, append_turn.version),
        ots = greatest(heads.ots, append_turn.ots),
        head_ids = stands,
        last_conversation_id = last_conversation,
        hint_valid = hint_valid AND known,
        undelivered = undelivered + append_turn.owed,
        owed = heads.owed || owing,
        settled = settled AND hint_valid AND known AND on_top
    WHERE heads.thread_id = append_turn.thread_id AND heads.rev = expected_rev AND heads.head_ids = stood
    RETURNING heads.hint_valid, heads.settled INTO closed, rows_written;
    appended := FOUND;
    IF NOT appended AND expected_rev = 0 AND stood = '{}' THEN
        INSERT INTO heads (
            thread_id, rev, version, ots, head_ids, last_conversation_id, hint_valid, undelivered, owed, settled
        ) VALUES (
            append_turn.thread_id, 1, append_turn.version, append_turn.ots, stands, last_conversation, known,
            append_turn.owed, owing, known AND on_top
        ) ON CONFLICT DO NOTHING
        RETURNING hint_valid, settled INTO closed, rows_written;
        appended := FOUND;
    END IF;
    IF NOT appended THEN
        rows_written := false;
        SELECT heads.rev, heads.head_ids, heads.hint_valid INTO append_turn.rev, append_turn.head_ids, closed
        FROM heads WHERE heads.thread_id = append_turn.thread_id;
        RETURN;
    END IF;
    rev := expected_rev + 1;
    head_ids := stands;
    INSERT INTO events (
        event_id, thread_id, conversation_id, kind, kind_version, version, ots, parents, origin, origin_seq,
        dedup_key, occurred_at, received_at, facts, payload, commitment, hash
    ) VALUES (
        append_turn.event_id, append_turn.thread_id, append_turn.conversation_id, append_turn.kind,
        append_turn.kind_version, append_turn.version, append_turn.ots, named, append_turn.origin,
        append_turn.origin_seq, append_turn.dedup_key, append_turn.occurred_at, append_turn.received_at,
        append_turn.facts, append_turn.payload, append_turn.commitment, append_turn.hash
    );
    IF rows_written THEN
        IF state_type IS NOT NULL THEN
            PERFORM write_state(
                state_user, state_chat, state_type, append_turn.state_step, append_turn.state_data, state_started,
                state_updated, state_expires
            );
        END IF;
        IF changes IS NOT NULL THEN
            PERFORM write_rows(changes);
        END IF;
    END IF;
END $$;

-- Insert what is not there, comparing nothing; say where the threads of the events stand.
--
-- `is_delivery` tells the records of `deliveries` from those of `events`. A thread that was closed has its heads
-- found from the new events alone: none that was there before can name one of them. Of any other thread all events
-- are read. A thread with new events is not settled: what they do to rows and debts is not known here. A delivery
-- settles the debt of its event, or of a copy of its input in which the same was decided. Of a record that is there
-- with another hash the row is kept aside.
CREATE OR REPLACE FUNCTION push_records(
    event_ids uuid[], thread_ids uuid[], conversation_ids uuid[], kinds text[], kind_versions integer[],
    versions bigint[], otss bigint[], parentss text[], origins uuid[], origin_seqs bigint[], dedup_keys text[],
    occurred_ats bigint[], received_ats bigint[], factss text[], payloads bytea[], commitments bytea[],
    hashes bytea[], is_delivery boolean[]
) RETURNS TABLE (thread uuid, rev bigint, head_ids uuid[], closed boolean)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    fresh uuid[];
BEGIN
    PERFORM be_durable();

    -- The threads' rows are made and locked in one order, whatever else is under way.
    INSERT INTO heads (thread_id, rev, version, ots, head_ids, hint_valid, undelivered)
    SELECT DISTINCT given.thread_id, 0, 0, -1, '{}'::uuid[], true, 0
    FROM unnest(thread_ids) AS given (thread_id) ORDER BY given.thread_id
    ON CONFLICT (thread_id) DO UPDATE SET rev = heads.rev WHERE false;

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
        RETURNING event_id
    )
    SELECT array_agg(event_id) INTO fresh FROM put;

    UPDATE heads SET
        rev = heads.rev + 1,
        version = greatest(heads.version, added.version),
        ots = greatest(heads.ots, added.ots),
        head_ids = CASE
            WHEN hint_valid THEN heads_after(heads.head_ids, added.named, added.ids)
            ELSE heads_after(
                ARRAY(SELECT events.event_id FROM events WHERE events.thread_id = heads.thread_id),
                named_in(heads.thread_id), '{}'
            )
        END,
        hint_valid = CASE WHEN hint_valid THEN all_there(added.named) ELSE all_there(named_in(heads.thread_id)) END,
        settled = false
    FROM (
        SELECT thread_id, array_agg(event_id) AS ids, max(version) AS version, max(ots) AS ots,
            ARRAY(
                SELECT unnest(child.parents) FROM events AS child
                WHERE child.event_id = ANY (array_agg(events.event_id))
            ) AS named
        FROM events WHERE event_id = ANY (fresh) GROUP BY thread_id
    ) AS added
    WHERE heads.thread_id = added.thread_id;

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
    )
    UPDATE heads SET
        owed = heads_after(heads.owed, met.ids, '{}'),
        undelivered = cardinality(heads_after(heads.owed, met.ids, '{}'))
    FROM met WHERE heads.thread_id = met.thread_id;

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

    RETURN QUERY SELECT heads.thread_id, heads.rev, heads.head_ids, heads.hint_valid FROM heads
    WHERE heads.thread_id IN (
        SELECT given.thread_id FROM unnest(thread_ids, is_delivery) AS given (thread_id, delivers) WHERE NOT delivers
    );
END $$;

-- Put a thread's head and its person's rows right, if the thread is closed and has just these heads. Of what it is owed
-- that is left out which has met its fate here.
DROP FUNCTION settle_thread;
CREATE FUNCTION settle_thread(
    thread uuid, expected_heads text, its_version bigint, its_ots bigint, last_conversation uuid, owing text,
    person bigint, changes jsonb
) RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    still uuid[] := owing;
BEGIN
    PERFORM be_durable();
    PERFORM FROM heads
    WHERE thread_id = thread AND hint_valid AND head_ids = expected_heads::uuid[] FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    still := ARRAY(
        SELECT id FROM unnest(still) AS debt (id)
        WHERE NOT EXISTS (
            SELECT FROM events AS owed
            JOIN events AS copy ON copy.thread_id = owed.thread_id AND copy.dedup_key = owed.dedup_key
                AND copy.kind = owed.kind AND copy.facts = owed.facts
            JOIN deliveries ON deliveries.answers = copy.event_id
            WHERE owed.event_id = debt.id
        )
    );
    UPDATE heads SET
        version = its_version, ots = its_ots, last_conversation_id = last_conversation,
        owed = still, undelivered = cardinality(still), settled = true
    WHERE thread_id = thread;
    IF person <> 0 THEN
        DELETE FROM conversation_states WHERE user_id = person;
        DELETE FROM user_machines WHERE user_id = person;
        DELETE FROM photos_wanted WHERE user_id = person;
        PERFORM write_rows(changes);
    END IF;
    RETURN true;
END $$;
