GRANT SELECT, INSERT, UPDATE, DELETE ON customers TO roadstead_app;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON customers USING ((SELECT roadstead_reach()) = 'platform');
CREATE POLICY partner ON customers FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND partner = (SELECT roadstead_home()));
CREATE POLICY customer ON customers FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND tenant = (SELECT roadstead_home()));

-- A partner's tenants: its own, its pool, and the customers that let it in.
DROP POLICY partner ON tenants;
CREATE POLICY partner ON tenants FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner'
    AND (id = (SELECT roadstead_home())
        OR (parent = (SELECT roadstead_home())
            AND (kind <> 'customer'
                OR EXISTS (SELECT FROM customers c WHERE c.tenant = tenants.id AND c.partner_access)))));

-- A customer: its own tenant, what is in it, and the name of its partner.
CREATE POLICY customer ON tenants FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND id = (SELECT roadstead_home()));
CREATE POLICY customer ON tenant_counts FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND tenant = (SELECT roadstead_home()));
CREATE POLICY customer ON partners FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND tenant IN (SELECT partner FROM customers));
CREATE POLICY customer ON placements FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND tenant = (SELECT roadstead_home()));
CREATE POLICY customer ON devices FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND EXISTS (SELECT FROM placements WHERE device = devices.id));
CREATE POLICY customer ON entitlements FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer'
    AND EXISTS (SELECT FROM placements WHERE device = entitlements.device));
