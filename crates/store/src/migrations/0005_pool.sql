-- How often something of a tenant's PCs was changed that is no move: who holds their list in memory loads it anew.
ALTER TABLE tenant_counts ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- Ways to look at the pool that a person keeps: the query of the page's address under a name.
CREATE TABLE saved_views (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    partner UUID NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX saved_view_name ON saved_views (user_id, name);

-- The months of the term that a name or service SKU stands for; null for the assumed one.
ALTER TABLE support_level_names ADD COLUMN months BIGINT;
-- When the operator last corrected the dates; null again with the next sale.
ALTER TABLE entitlements ADD COLUMN corrected_at BIGINT;

-- Disputes over all reports; `/` is after `.`.
CREATE INDEX report_lines_disputed ON report_lines (report, line) WHERE verdict >= 'disputed.' AND verdict < 'disputed/';

-- What a reporter calls its columns: the header in one spelling and as it was seen, the field it means; null for a
-- column that is not read.
CREATE TABLE own_headers (
    reporter UUID NOT NULL REFERENCES reporters (id),
    header TEXT NOT NULL,
    shown TEXT NOT NULL,
    field TEXT,
    PRIMARY KEY (reporter, header)
);

-- The report that a report takes back, and the withdrawal whose undoing it is.
ALTER TABLE reports ADD COLUMN withdraws UUID;
ALTER TABLE reports ADD COLUMN undoes UUID;
CREATE INDEX reports_that_withdraw ON reports (withdraws) WHERE withdraws IS NOT NULL;
CREATE INDEX reports_that_undo ON reports (undoes) WHERE undoes IS NOT NULL;
