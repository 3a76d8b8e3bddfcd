-- When a session was last seen, in Unix milliseconds, to a quarter of an hour; 0 is not since this column is there.
ALTER TABLE sessions ADD COLUMN last_seen_at INTEGER NOT NULL DEFAULT 0;
