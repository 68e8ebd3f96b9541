-- Which worker answers for which: whoever holds the lease of an origin sends the replies that are owed for its events.

CREATE TABLE leases (
    origin uuid        PRIMARY KEY,
    holder uuid        NOT NULL,
    until  timestamptz NOT NULL
);

-- Let a worker hold its own lease and those it has, take what has run out, and say what it holds then; `was_away`: its
-- own was in another's hands, and had not run out; `alive`: how many workers hold leases now. Origins that are named and not known get a lease of their own, so
-- that it must run out before anybody takes it. One caller at a time; the time is this server's. A lease that is lost
-- in a crash of the server is taken again, so nobody waits for the disk.
CREATE FUNCTION hold_leases(worker uuid, others uuid[], seconds double precision)
RETURNS TABLE (of_origin uuid, was_away boolean, alive bigint) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    present timestamptz;
    ends timestamptz;
    away boolean;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtextextended('holdfast leases', 0));
    present := clock_timestamp();
    ends := present + seconds * interval '1 second';
    away := EXISTS (SELECT FROM leases WHERE origin = worker AND holder <> worker AND until > present);
    INSERT INTO leases (origin, holder, until) VALUES (worker, worker, ends)
    ON CONFLICT (origin) DO UPDATE SET holder = excluded.holder, until = excluded.until;
    INSERT INTO leases (origin, holder, until) SELECT one, one, ends FROM unnest(others) AS one
    ON CONFLICT (origin) DO NOTHING;
    UPDATE leases SET holder = worker, until = ends WHERE holder = worker OR until <= present;
    RETURN QUERY SELECT leases.origin, away, (SELECT count(DISTINCT other.holder) FROM leases AS other)
    FROM leases WHERE leases.holder = worker;
END $$;
