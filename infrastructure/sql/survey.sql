-- What an operator wants to know of a tier, also of one that is not migrated. Nothing is changed.

-- name: ping
SELECT 1;

-- name: look
-- What can be known before there are tables.
SELECT
    current_setting('server_version') AS server_version,
    current_user::text AS role,
    NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS writable,
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_migrate,
    -- Whom a provider lets in over the web (Supabase's two roles), or everybody.
    (
        SELECT coalesce(string_agg(DISTINCT coalesce(rolname, 'everybody'), ', '), '')
        FROM pg_class CROSS JOIN aclexplode(relacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
        WHERE pg_class.oid = ANY (ARRAY[
            to_regclass('events'), to_regclass('deliveries'), to_regclass('user_machines'),
            to_regclass('conversation_states')
        ]) AND (grantee = 0 OR rolname IN ('anon', 'authenticated'))
    ) AS exposed;

-- name: write_canary
-- A write that is committed and changes nothing: what stands there is written once more. Raising the canary here
-- could hide from a bot that the tier has come back with old data.
UPDATE tier_meta SET value = value WHERE name = 'canary';
