-- A reporter that reports in a rhythm and is late was noticed: once a silence, which its last report names.
CREATE TABLE reporter_silences (
    reporter UUID NOT NULL REFERENCES reporters (id),
    last_report_at BIGINT NOT NULL,
    noticed_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (reporter, last_report_at)
);
