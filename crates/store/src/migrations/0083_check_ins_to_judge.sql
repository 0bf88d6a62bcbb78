-- Check-ins from which something may follow, until that is written: whoever is answered before need not come again.
CREATE TABLE check_ins_to_judge (
    device UUID PRIMARY KEY,
    seen_at BIGINT NOT NULL
);
