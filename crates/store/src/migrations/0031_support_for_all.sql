-- Customers and reporters open support cases, too: home is any tenant or reporter. waiting_since runs for as long as the
-- operator is the one to answer.
ALTER TABLE support_cases ADD COLUMN waiting_since BIGINT;
UPDATE support_cases SET waiting_since = updated_at WHERE state IN ('new', 'in_work');

-- Within how many hours the operator wants to have answered.
CREATE TABLE support_response_hours (
    kind TEXT PRIMARY KEY,
    hours BIGINT NOT NULL
);
INSERT INTO support_response_hours (kind, hours) VALUES ('missing_devices', 8), ('question', 24), ('other', 24);
