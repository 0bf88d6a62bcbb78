-- References of orders whose case was forgotten: one that was used once would ship nothing, however long ago that was.
CREATE TABLE spent_references (
    desk TEXT NOT NULL,
    order_reference TEXT NOT NULL,
    PRIMARY KEY (desk, order_reference)
);

-- What is past its time, oldest first.
CREATE INDEX alerts_closed ON alerts (closed_at) WHERE state = 'closed';
CREATE INDEX pop_ups_over ON pop_ups (created_at) WHERE state <> 'open';
CREATE INDEX pop_ups_of_alert ON pop_ups (alert);
CREATE INDEX repair_cases_over ON repair_cases (updated_at) WHERE state IN ('closed', 'cancelled');
