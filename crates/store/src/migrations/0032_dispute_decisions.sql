-- What the operator decided over a disputed line. A PC that goes to the line's seller goes by a report of the operator's, as
-- does one that comes back by the undoing. At most one decision holds.
CREATE TABLE dispute_decisions (
    id UUID PRIMARY KEY,
    report UUID NOT NULL,
    line BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('dismissed', 'upheld')),
    reason TEXT NOT NULL,
    holder UUID,
    moved_by UUID,
    actor_kind TEXT NOT NULL,
    actor UUID,
    decided_at BIGINT NOT NULL,
    undone_at BIGINT,
    undone_by UUID
);
CREATE UNIQUE INDEX one_decision_a_dispute ON dispute_decisions (report, line) WHERE undone_at IS NULL;
