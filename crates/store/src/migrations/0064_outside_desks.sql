-- A repair system outside of the platform that the cases of a desk are forwarded to; one a desk, named by the desk's code.
-- secret signs what goes out and proves what comes back; the one before holds until old_until. stopped says why nothing is
-- sent any more.
CREATE TABLE outside_desks (
    id UUID PRIMARY KEY,
    desk TEXT NOT NULL UNIQUE,
    partner UUID,
    url TEXT NOT NULL,
    secret BYTEA NOT NULL,
    old_secret BYTEA,
    old_until BIGINT,
    stopped TEXT,
    created_at BIGINT NOT NULL
);

-- What an outside desk is to know of a case: its present standing, told until it was taken. version rises with each change
-- that is to be told, so that what changed meanwhile is told again.
CREATE TABLE forwarded_cases (
    outside_desk UUID NOT NULL REFERENCES outside_desks (id),
    repair_case UUID NOT NULL REFERENCES repair_cases (id),
    version BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_error TEXT,
    last_status BIGINT,
    delivered_at BIGINT,
    reference TEXT NOT NULL,
    PRIMARY KEY (outside_desk, repair_case)
);
CREATE INDEX forwarded_cases_due ON forwarded_cases (outside_desk, next_at) WHERE state = 'waiting';
CREATE INDEX forwarded_cases_of_case ON forwarded_cases (repair_case);

-- Calls of outside desks that were taken: the same again does nothing.
CREATE TABLE outside_calls (
    outside_desk UUID NOT NULL REFERENCES outside_desks (id),
    message TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (outside_desk, message)
);
