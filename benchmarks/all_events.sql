SELECT * FROM events ORDER BY thread_id;
