-- By what a PC was shown to be in the hands of the tenant of one generation. Without a row what is known of persons in
-- that generation stays sealed.
CREATE TABLE possessions (
    device UUID NOT NULL REFERENCES devices (id),
    generation BIGINT NOT NULL,
    proof TEXT NOT NULL CHECK (proof IN ('key', 'cpin', 'confirmed')),
    at BIGINT NOT NULL,
    PRIMARY KEY (device, generation)
);
-- What became of the PCs' data, JSON: at the commit, at the undo, and when what was sealed had been deleted.
ALTER TABLE transfers ADD COLUMN receipt TEXT;
ALTER TABLE transfers ADD COLUMN undo_receipt TEXT;
ALTER TABLE transfers ADD COLUMN wiped_at BIGINT;
