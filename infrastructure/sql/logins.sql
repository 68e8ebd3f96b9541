-- Logins, as an administrator makes them. A role's name and its password cannot be parameters of what makes it, so
-- the server itself writes those statements, quoted as it wants them.

-- name: exists
SELECT true FROM pg_roles WHERE rolname = $1;

-- name: restricted_exists
SELECT true FROM pg_roles WHERE rolname = 'holdfast_app';

-- name: write_create
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', $1::text, $2::text);

-- name: write_grant
SELECT format('GRANT holdfast_app TO %I', $1::text);
