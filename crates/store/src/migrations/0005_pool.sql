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
