-- The log. What is written here can never be changed, so neither can these columns.

-- Every input, timer and outside fact, each as one immutable event. Times are microseconds since 1970; facts are
-- canonical JSON, kept as text so that not one byte of what was hashed changes. `xid` and `pos` are this tier's own:
-- they are never copied and never hashed.
CREATE TABLE events (
    pos             bigint  NOT NULL GENERATED ALWAYS AS IDENTITY,
    xid             xid8    NOT NULL DEFAULT pg_current_xact_id(),
    event_id        uuid    NOT NULL PRIMARY KEY,
    thread_id       uuid    NOT NULL,
    conversation_id uuid,
    kind            text    NOT NULL,
    kind_version    integer NOT NULL,
    version         bigint  NOT NULL,
    ots             bigint  NOT NULL,
    parents         uuid[]  NOT NULL,
    origin          uuid    NOT NULL,
    origin_seq      bigint  NOT NULL,
    dedup_key       text    NOT NULL,
    occurred_at     bigint  NOT NULL,
    received_at     bigint  NOT NULL,
    facts           text    NOT NULL,
    payload         bytea,
    commitment      bytea   NOT NULL CHECK (length(commitment) = 32),
    hash            bytea   NOT NULL CHECK (length(hash) = 32)
);

CREATE INDEX events_of_conversation ON events (thread_id, conversation_id);
CREATE INDEX events_of_input ON events (thread_id, dedup_key);
CREATE INDEX events_tail ON events (xid, pos);

-- The fate of each reply, in the same envelope; `answers` is the event it answers, and its one parent.
CREATE TABLE deliveries (
    pos             bigint  NOT NULL GENERATED ALWAYS AS IDENTITY,
    xid             xid8    NOT NULL DEFAULT pg_current_xact_id(),
    event_id        uuid    NOT NULL PRIMARY KEY,
    thread_id       uuid    NOT NULL,
    conversation_id uuid,
    kind            text    NOT NULL,
    kind_version    integer NOT NULL,
    version         bigint  NOT NULL,
    ots             bigint  NOT NULL,
    parents         uuid[]  NOT NULL,
    origin          uuid    NOT NULL,
    origin_seq      bigint  NOT NULL,
    dedup_key       text    NOT NULL,
    occurred_at     bigint  NOT NULL,
    received_at     bigint  NOT NULL,
    facts           text    NOT NULL,
    payload         bytea,
    commitment      bytea   NOT NULL CHECK (length(commitment) = 32),
    hash            bytea   NOT NULL CHECK (length(hash) = 32),
    answers         uuid    NOT NULL
);

CREATE INDEX deliveries_of_event ON deliveries (answers);
CREATE INDEX deliveries_of_thread ON deliveries (thread_id);
CREATE INDEX deliveries_tail ON deliveries (xid, pos);

-- The compare-and-set row of each thread; it can be derived from the events at any time. Every turn writes it anew:
-- the room left on its pages lets that happen in place.
CREATE TABLE heads (
    thread_id            uuid    NOT NULL PRIMARY KEY,
    rev                  bigint  NOT NULL,
    version              bigint  NOT NULL,
    ots                  bigint  NOT NULL,
    head_ids             uuid[]  NOT NULL,
    last_conversation_id uuid,
    hint_valid           boolean NOT NULL,
    undelivered          integer NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX heads_owing ON heads (thread_id) WHERE undelivered > 0;

-- Who asked to be forgotten, up to which update order.
CREATE TABLE erasures (
    thread_id    uuid   NOT NULL,
    upto         bigint NOT NULL,
    requested_at bigint NOT NULL,
    PRIMARY KEY (thread_id, upto)
);

-- What could not be taken in, raw, with the error that stopped it.
CREATE TABLE quarantine (
    pos         bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedup_key   text   NOT NULL UNIQUE,
    thread_id   uuid,
    raw         bytea,
    error       text   NOT NULL,
    received_at bigint NOT NULL,
    replayed_at bigint
);

-- What this tier knows of itself: which database it is, whose, and a number that only ever grows.
CREATE TABLE tier_meta (
    name  text NOT NULL PRIMARY KEY,
    value text NOT NULL
);

INSERT INTO tier_meta (name, value) VALUES ('tier_id', gen_random_uuid()::text), ('canary', '0');

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- Words may go, when their person asked for it; nothing else may. Two rows that differ in the payload alone are
-- the same once both have none.
CREATE FUNCTION refuse_change_but_an_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    old.payload := NULL;
    IF new IS NOT DISTINCT FROM old
        AND EXISTS (SELECT 1 FROM erasures WHERE erasures.thread_id = old.thread_id)
    THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION '% are append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER events_keep_what_they_say BEFORE UPDATE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_an_erasure();
CREATE TRIGGER events_stay BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_stay_all BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER deliveries_keep_what_they_say BEFORE UPDATE ON deliveries
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_an_erasure();
CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deliveries_stay_all BEFORE TRUNCATE ON deliveries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
