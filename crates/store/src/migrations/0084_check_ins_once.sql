-- When the last check-in was signed, in seconds, and the nonces of those that were signed in that second: none is taken twice.
ALTER TABLE check_ins ADD COLUMN signed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE check_ins ADD COLUMN nonces TEXT NOT NULL DEFAULT '';
