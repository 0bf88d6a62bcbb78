-- The switch over pop-ups, one row from the first PC of a customer tenant on. It arms once in the tenant's life; the
-- instants are history and never go back to null.
CREATE TABLE self_service (
    customer UUID PRIMARY KEY REFERENCES customers (tenant),
    state TEXT NOT NULL CHECK (state IN ('on', 'off')),
    armed_at BIGINT NOT NULL,
    first_entitled_at BIGINT,
    changed_at BIGINT NOT NULL
);
