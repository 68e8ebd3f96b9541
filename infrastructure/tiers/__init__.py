"""The tiers: the copies of the log on PostgreSQL servers, in order, and what keeps them alike."""
