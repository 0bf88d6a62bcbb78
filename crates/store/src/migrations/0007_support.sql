-- Support cases: requests to the operator's platform team. home is the partner tenant that opened it.
CREATE TABLE support_cases (
    id UUID PRIMARY KEY,
    number TEXT NOT NULL,
    home UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('missing_devices', 'question', 'other')),
    state TEXT NOT NULL CHECK (state IN ('new', 'waiting_for_partner', 'in_work', 'solved', 'closed')),
    opener UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX support_case_number ON support_cases (number);
CREATE INDEX support_cases_of_home ON support_cases (home, id);
CREATE INDEX support_cases_open ON support_cases (state, id);

CREATE TABLE support_messages (
    id UUID PRIMARY KEY,
    support_case UUID NOT NULL REFERENCES support_cases (id),
    side TEXT NOT NULL CHECK (side IN ('home', 'operator')),
    actor_kind TEXT NOT NULL,
    actor UUID,
    body TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX support_messages_of_case ON support_messages (support_case, id);

-- The serials that are missed. finding is what the platform said of each when it was listed.
CREATE TABLE support_serials (
    support_case UUID NOT NULL REFERENCES support_cases (id),
    serial TEXT NOT NULL,
    finding TEXT NOT NULL,
    decision TEXT CHECK (decision IN ('approved', 'refused')),
    reason TEXT,
    listed_at BIGINT NOT NULL,
    decided_at BIGINT,
    PRIMARY KEY (support_case, serial)
);
