GRANT SELECT, INSERT, UPDATE, DELETE ON transfers, transfer_items, suggested_targets TO roadstead_app;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['transfers', 'transfer_items', 'suggested_targets'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING (roadstead_reach() = 'platform')$p$, t);
    END LOOP;
END
$$;
CREATE POLICY partner ON transfers USING (
    roadstead_reach() = 'partner' AND partner = roadstead_home());
CREATE POLICY partner ON transfer_items USING (
    roadstead_reach() = 'partner' AND (SELECT true FROM transfers t WHERE t.id = transfer_items.transfer));
CREATE POLICY partner ON suggested_targets USING (
    roadstead_reach() = 'partner' AND partner = roadstead_home());

-- A partner moves PCs among its own tenants, and nowhere else.
CREATE POLICY partner_moves ON placements FOR UPDATE
    USING (roadstead_reach() = 'partner' AND (SELECT true FROM tenants t WHERE t.id = placements.tenant))
    WITH CHECK (roadstead_reach() = 'partner' AND (SELECT true FROM tenants t WHERE t.id = placements.tenant));
CREATE POLICY partner_moves ON placement_log FOR INSERT WITH CHECK (
    roadstead_reach() = 'partner' AND partner = roadstead_home());
CREATE POLICY partner_moves ON placement_log_heads USING (
    roadstead_reach() = 'partner' AND partner = roadstead_home());
CREATE POLICY partner_counts ON tenant_counts
    USING (roadstead_reach() = 'partner' AND (SELECT true FROM tenants t WHERE t.id = tenant_counts.tenant))
    WITH CHECK (roadstead_reach() = 'partner' AND (SELECT true FROM tenants t WHERE t.id = tenant_counts.tenant));
-- What a partner does in a customer's tenant stands in the customer's log, and its open pages hear of it.
CREATE POLICY customers_of_partner ON audit_log FOR INSERT WITH CHECK (
    roadstead_reach() = 'partner'
    AND (SELECT true FROM tenants t WHERE t.id = audit_log.home AND t.kind = 'customer'));
CREATE POLICY customers_of_partner ON outbox FOR INSERT WITH CHECK (
    roadstead_reach() = 'partner'
    AND (SELECT true FROM tenants t WHERE t.id = outbox.home AND t.kind = 'customer'));
