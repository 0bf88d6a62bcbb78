-- How far the deletion of sealed data has come: after every PC up to `device`, of what was sealed by a move before `before`.
-- Without a device no round is under way. One row; whoever wipes a batch holds it.
CREATE TABLE wipes (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    device UUID,
    before BIGINT NOT NULL,
    ended_at BIGINT
);
-- Transfers whose receipt still says "sealed".
CREATE INDEX transfers_sealed ON transfers (committed_at) WHERE receipt IS NOT NULL AND wiped_at IS NULL;
-- Set once what users wrote in a case has been deleted.
ALTER TABLE repair_cases ADD COLUMN is_wiped BOOLEAN NOT NULL DEFAULT FALSE;
