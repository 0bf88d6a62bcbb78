-- How an entry is hashed: by 2 with what caused it, by 1 without, as nodes of the last release go on to do.
ALTER TABLE placement_log ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
