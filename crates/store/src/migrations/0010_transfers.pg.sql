GRANT SELECT, INSERT, UPDATE, DELETE ON transfers, transfer_items, suggested_targets TO roadstead_app;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['transfers', 'transfer_items', 'suggested_targets'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING ((SELECT roadstead_reach()) = 'platform')$p$, t);
    END LOOP;
END
$$;
CREATE POLICY partner ON transfers USING (
    (SELECT roadstead_reach()) = 'partner' AND partner = (SELECT roadstead_home()));
CREATE POLICY partner ON transfer_items USING (
    (SELECT roadstead_reach()) = 'partner' AND transfer IN (SELECT id FROM transfers));
CREATE POLICY partner ON suggested_targets USING (
    (SELECT roadstead_reach()) = 'partner' AND partner = (SELECT roadstead_home()));

-- A partner moves PCs among its own tenants, and nowhere else.
CREATE POLICY partner_moves ON placements FOR UPDATE
    USING ((SELECT roadstead_reach()) = 'partner' AND tenant IN (SELECT id FROM tenants))
    WITH CHECK ((SELECT roadstead_reach()) = 'partner' AND tenant IN (SELECT id FROM tenants));
CREATE POLICY partner_moves ON placement_log FOR INSERT WITH CHECK (
    (SELECT roadstead_reach()) = 'partner' AND partner = (SELECT roadstead_home()));
CREATE POLICY partner_moves ON placement_log_heads USING (
    (SELECT roadstead_reach()) = 'partner' AND partner = (SELECT roadstead_home()));
CREATE POLICY partner_counts ON tenant_counts
    USING ((SELECT roadstead_reach()) = 'partner' AND tenant IN (SELECT id FROM tenants))
    WITH CHECK ((SELECT roadstead_reach()) = 'partner' AND tenant IN (SELECT id FROM tenants));
-- What a partner does in a customer's tenant stands in the customer's log, and its open pages hear of it.
CREATE POLICY customers_of_partner ON audit_log FOR INSERT WITH CHECK (
    (SELECT roadstead_reach()) = 'partner' AND home IN (SELECT id FROM tenants WHERE kind = 'customer'));
CREATE POLICY customers_of_partner ON outbox FOR INSERT WITH CHECK (
    (SELECT roadstead_reach()) = 'partner' AND home IN (SELECT id FROM tenants WHERE kind = 'customer'));
