-- Applications built on the `eventsourcing` package, which keep their events in this log.

-- Each series of such events, in its one order: the place within the series is the event's origin order. Other events
-- have no part in this index.
CREATE INDEX events_of_series ON events ((facts::jsonb ->> 'series'), ots) WHERE kind = 'aggregate.recorded';
