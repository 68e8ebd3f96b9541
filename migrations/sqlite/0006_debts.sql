-- Which replies a thread is owed, not only how many: after a fork several copies of one input may have met a reply.

-- The events that count and whose reply, or that of a copy in which the same was decided, has not met its fate: each
-- as 32 hexadecimal digits and a blank. `undelivered` is their number.
ALTER TABLE heads ADD COLUMN owed TEXT NOT NULL DEFAULT '';

UPDATE heads SET owed = coalesce((
    SELECT group_concat(hex(event_id) || ' ', '') FROM kept_events
    WHERE kept_events.thread_id = heads.thread_id
        AND NOT EXISTS (SELECT 1 FROM deliveries WHERE answers = kept_events.event_id)
), '')
WHERE undelivered > 0;

UPDATE heads SET undelivered = length(owed) / 33 WHERE undelivered > 0;
