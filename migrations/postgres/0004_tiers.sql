-- What a tier does in one call. Whoever calls sees a turn wholly done or not at all, and waits for one answer.

-- What is compared with a journal, hour by hour, without a look at the rows themselves.
CREATE INDEX events_received ON events (received_at) INCLUDE (event_id, hash);
CREATE INDEX deliveries_received ON deliveries (received_at) INCLUDE (event_id, hash);

-- A time, from microseconds since 1970.
CREATE FUNCTION moment(microseconds bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT
RETURN timestamptz 'epoch' + microseconds * interval '1 microsecond';

-- An acknowledged event survives a crash, whatever the server's own default is.
CREATE FUNCTION be_durable() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END $$;

-- Write the row of an open conversation, or take it away (no step).
CREATE FUNCTION write_state(
    of_user bigint, of_chat bigint, of_type text, step text, data text, started bigint, updated bigint, expires bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF step IS NULL THEN
        DELETE FROM conversation_states
        WHERE user_id = of_user AND chat_id = of_chat AND conversation_type = of_type;
        RETURN;
    END IF;
    INSERT INTO conversation_states (
        user_id, chat_id, conversation_type, current_step, state_data, started_at, updated_at, expires_at
    ) VALUES (of_user, of_chat, of_type, step, data, moment(started), moment(updated), moment(expires))
    ON CONFLICT (user_id, chat_id, conversation_type) DO UPDATE SET
        current_step = excluded.current_step,
        state_data = excluded.state_data,
        started_at = excluded.started_at,
        updated_at = excluded.updated_at,
        expires_at = excluded.expires_at;
END $$;

-- Write the row of a machine, or take it away (no values).
CREATE FUNCTION write_machine(machine uuid, v jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF v = 'null' THEN
        DELETE FROM user_machines WHERE machine_id = machine;
        RETURN;
    END IF;
    INSERT INTO user_machines (
        machine_id, user_id, nickname, manufacturer, model_number, serial_number, location, notes, photo_file_id,
        ocr_data, created_at, updated_at
    ) VALUES (
        machine, (v->>0)::bigint, v->>1, v->>2, v->>3, v->>4, v->>5, v->>6, v->>7, v->>8,
        moment((v->>9)::bigint), moment((v->>10)::bigint)
    )
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
END $$;

-- Write the row of a photo to be fetched, or take it away (no values).
CREATE FUNCTION write_photo(event uuid, v jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF v = 'null' THEN
        DELETE FROM photos_wanted WHERE event_id = event;
        RETURN;
    END IF;
    INSERT INTO photos_wanted (event_id, user_id, chat_id, file_id, file_size)
    VALUES (event, (v->>0)::bigint, (v->>1)::bigint, v->>2, (v->>3)::bigint)
    ON CONFLICT (event_id) DO UPDATE SET
        user_id = excluded.user_id,
        chat_id = excluded.chat_id,
        file_id = excluded.file_id,
        file_size = excluded.file_size;
END $$;

-- Write projections' rows in their order, each [table, key, values or null]; times are microseconds since 1970.
CREATE FUNCTION write_rows(changes jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    change jsonb;
    k jsonb;
    v jsonb;
BEGIN
    FOR change IN SELECT jsonb_array_elements(changes) LOOP
        k := change->1;
        v := change->2;
        CASE change->>0
            WHEN 'conversation_states' THEN
                PERFORM write_state(
                    (k->>0)::bigint, (k->>1)::bigint, k->>2,
                    v->>0, v->>1, (v->>2)::bigint, (v->>3)::bigint, (v->>4)::bigint
                );
            WHEN 'user_machines' THEN PERFORM write_machine((k->>0)::uuid, v);
            WHEN 'photos_wanted' THEN PERFORM write_photo((k->>0)::uuid, v);
            ELSE RAISE EXCEPTION 'there is no such projection' USING ERRCODE = 'invalid_parameter_value';
        END CASE;
    END LOOP;
END $$;

-- The heads once more events stand there.
CREATE FUNCTION heads_after(stood uuid[], named uuid[], added uuid[]) RETURNS uuid[] LANGUAGE sql IMMUTABLE
RETURN ARRAY(SELECT unnest(stood || added) AS id EXCEPT SELECT unnest(named) ORDER BY id);

-- Whether every one of these events is there.
CREATE FUNCTION all_there(named uuid[]) RETURNS boolean LANGUAGE sql STABLE
RETURN NOT EXISTS (
    SELECT FROM unnest(named) AS parent (id)
    WHERE NOT EXISTS (SELECT FROM events WHERE events.event_id = parent.id)
);

-- Every event that an event of this thread names as a parent.
CREATE FUNCTION named_in(thread uuid) RETURNS uuid[] LANGUAGE sql STABLE
RETURN ARRAY(SELECT DISTINCT unnest(parents) FROM events WHERE thread_id = thread);

-- Append one turn, if its thread still stands where it is expected; otherwise say where it stands.
--
-- Identities in a row travel as the text of an array. The first row of an open conversation travels in columns of
-- its own (no `state_type`: there is none), all other rows in `changes`. The rows are right only on top of exactly
-- the parents' rows, so they are left alone where the heads were not the parents, or a parent is missing.
-- Sequential scans are off, since a plan made while the tables were small is kept while they grow.
CREATE FUNCTION append_turn(
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
        undelivered = undelivered + owed
    WHERE heads.thread_id = append_turn.thread_id AND heads.rev = expected_rev AND heads.head_ids = stood
    RETURNING heads.hint_valid INTO closed;
    appended := FOUND;
    IF NOT appended AND expected_rev = 0 AND stood = '{}' THEN
        INSERT INTO heads VALUES (
            append_turn.thread_id, 1, append_turn.version, append_turn.ots, stands, last_conversation, known, owed
        ) ON CONFLICT DO NOTHING
        RETURNING hint_valid INTO closed;
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
    rows_written := on_top AND closed;
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
-- are read. Of a record that is there with another hash the row is kept aside.
CREATE FUNCTION push_records(
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
        hint_valid = CASE WHEN hint_valid THEN all_there(added.named) ELSE all_there(named_in(heads.thread_id)) END
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
    settled AS (
        SELECT thread_id, count(DISTINCT answers) AS replies FROM put
        WHERE NOT EXISTS (SELECT FROM deliveries WHERE deliveries.answers = put.answers)
        GROUP BY thread_id
    )
    UPDATE heads SET undelivered = greatest(undelivered - settled.replies, 0)
    FROM settled WHERE heads.thread_id = settled.thread_id;

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

-- Put a thread's head and its person's rows right, if the thread is closed and has just these heads.
CREATE FUNCTION settle_thread(
    thread uuid, expected_heads text, its_version bigint, its_ots bigint, last_conversation uuid, owed integer,
    person bigint, changes jsonb
) RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    PERFORM be_durable();
    UPDATE heads SET
        version = its_version, ots = its_ots, last_conversation_id = last_conversation,
        undelivered = greatest(
            owed - (SELECT count(DISTINCT answers) FROM deliveries WHERE deliveries.thread_id = thread), 0
        )
    WHERE thread_id = thread AND hint_valid AND head_ids = expected_heads::uuid[];
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF person <> 0 THEN
        DELETE FROM conversation_states WHERE user_id = person;
        DELETE FROM user_machines WHERE user_id = person;
        DELETE FROM photos_wanted WHERE user_id = person;
        PERFORM write_rows(changes);
    END IF;
    RETURN true;
END $$;

-- A write that costs nothing and proves that writes are taken.
CREATE FUNCTION raise_canary() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    raised bigint;
BEGIN
    PERFORM be_durable();
    UPDATE tier_meta SET value = (value::bigint + 1)::text WHERE name = 'canary' RETURNING value::bigint INTO raised;
    RETURN raised;
END $$;

-- How many seconds the oldest transaction has been open that could hold the tail back, as far as one may look.
CREATE FUNCTION transaction_age() RETURNS double precision LANGUAGE sql STABLE
RETURN (
    SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)
    FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
);

-- The same with the eyes of these tables' owner, who at most providers sees more than a bot's role does.
CREATE FUNCTION transaction_age_seen_by_owner() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
RETURN transaction_age();

-- Take away the words of these events and deliveries of somebody who asked to be forgotten; the triggers see to it
-- that they did. Whoever calls says which are covered: how an input's own order is told is not known here.
CREATE FUNCTION erase_words(of_thread uuid, event_ids uuid[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    erased bigint;
BEGIN
    WITH emptied AS (
        UPDATE events SET payload = NULL
        WHERE thread_id = of_thread AND event_id = ANY (event_ids) AND payload IS NOT NULL RETURNING 1
    ),
    silenced AS (
        UPDATE deliveries SET payload = NULL
        WHERE thread_id = of_thread AND event_id = ANY (event_ids) AND payload IS NOT NULL RETURNING 1
    )
    SELECT (SELECT count(*) FROM emptied) + (SELECT count(*) FROM silenced) INTO erased;
    RETURN erased;
END $$;

REVOKE ALL ON FUNCTION erase_words, transaction_age_seen_by_owner FROM PUBLIC;
