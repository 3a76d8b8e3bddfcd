-- When and for whom a refresh token was last replaced: an honest retry is told from a stolen token by both.

-- Unix milliseconds of the last rotation; 0 is never.
ALTER TABLE sessions ADD COLUMN rotated_at INTEGER NOT NULL DEFAULT 0;

-- Blind index of the client that asked for it; null where nothing is known of the client.
ALTER TABLE sessions ADD COLUMN refresh_client BLOB
    CHECK (refresh_client IS NULL OR length(refresh_client) = 32);
