-- What was answered to a report that came as messages: its 997 or CONTRL, as made when it was received.
CREATE TABLE report_acknowledgements (
    report UUID PRIMARY KEY,
    bytes BYTEA NOT NULL
);
