-- Transfers: what a partner asked for, as it was judged at the preview, and what came of it.
CREATE TABLE transfers (
    id UUID PRIMARY KEY,
    partner UUID NOT NULL REFERENCES partners (tenant),
    state TEXT NOT NULL CHECK (state IN ('previewed', 'committing', 'committed', 'undoing', 'undone', 'failed')),
    digest BYTEA NOT NULL,
    items BIGINT NOT NULL,
    ready BIGINT NOT NULL,
    blocked BIGINT NOT NULL,
    warned BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    -- Blocked rows are left out instead of stopping the whole.
    good_rows_only BOOLEAN NOT NULL,
    operation UUID,
    actor_kind TEXT NOT NULL,
    actor UUID,
    created_at BIGINT NOT NULL,
    committed_at BIGINT,
    undone_at BIGINT
);
CREATE INDEX transfers_of_partner ON transfers (partner, id);

CREATE TABLE transfer_items (
    transfer UUID NOT NULL,
    line BIGINT NOT NULL,
    serial TEXT NOT NULL,
    target TEXT NOT NULL,
    device UUID,
    generation BIGINT,
    from_tenant UUID,
    to_tenant UUID,
    verdict TEXT NOT NULL,
    -- Codes with a space between them.
    reasons TEXT NOT NULL,
    -- What came of it: `moved`, `left_out` or `undone`; null before the commit.
    result TEXT,
    PRIMARY KEY (transfer, line)
);

-- The customer tenant to which PCs of an end customer went last, to be suggested next time. end_customer in lower case.
CREATE TABLE suggested_targets (
    partner UUID NOT NULL,
    end_customer TEXT NOT NULL,
    customer UUID NOT NULL,
    PRIMARY KEY (partner, end_customer)
);
