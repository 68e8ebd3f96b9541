-- What has been applied to a tier, and who may do what there.

-- name: lock
-- One at a time makes changes; the lock goes with the transaction. The number is any, and only ours.
SELECT pg_advisory_xact_lock(5202511);

-- name: exists
SELECT to_regclass('schema_migrations') IS NOT NULL AS made;

-- name: create_table
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer NOT NULL PRIMARY KEY,
    name       text    NOT NULL,
    checksum   text    NOT NULL,
    applied_at bigint  NOT NULL
);

-- name: read_applied
SELECT number, checksum FROM schema_migrations ORDER BY number;

-- name: insert_applied
INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4);

-- name: may_migrate
SELECT has_schema_privilege(current_schema(), 'CREATE') AND NOT pg_is_in_recovery()
    AND current_setting('transaction_read_only') = 'off' AS may;

-- name: create_role
-- The role a bot works as: it adds to the log and cannot change it. Made where the address may make roles.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app')
        AND (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user)
    THEN
        CREATE ROLE holdfast_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
    NULL; -- another database's migration made it first, or the server has its own mind about roles
END $$;

-- name: grant_role
-- What the port asks of a tier, and no more.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_app') THEN
        RETURN;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO holdfast_app', current_schema());
    GRANT SELECT, INSERT ON events, deliveries, erasures TO holdfast_app;
    GRANT SELECT, INSERT, UPDATE ON heads, quarantine, tier_meta, leases TO holdfast_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON conversation_states, user_machines, photos_wanted TO holdfast_app;
    GRANT SELECT, INSERT, DELETE ON blobs TO holdfast_app;
    GRANT SELECT ON schema_migrations TO holdfast_app;
    GRANT EXECUTE ON FUNCTION
        moment, be_durable, write_state, write_machine, write_photo, write_rows, heads_after, all_there, named_in,
        append_turn, push_records, settle_thread, raise_canary, erase_words, hold_leases,
        transaction_age, transaction_age_seen_by_owner
    TO holdfast_app;
END $$;
