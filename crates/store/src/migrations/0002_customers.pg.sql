GRANT SELECT, INSERT, UPDATE, DELETE ON customers TO roadstead_app;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON customers USING (roadstead_reach() = 'platform');
CREATE POLICY wall ON customers FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN partner = roadstead_home()
    WHEN 'customer' THEN tenant = roadstead_home() END);


-- Every wall anew. How a policy is written decides what every statement costs (docs/decisions/0009). roadstead_reach()
-- and roadstead_home() are called bare: a (SELECT ...) around each is one more plan to set up in every statement, for
-- every table it touches. Another table is asked by (SELECT true ... WHERE its key = ours), never by EXISTS or IN, which
-- the planner may answer by reading all of that table into a hash, once a statement. One CASE a table asks for the reach
-- once.
DO $$
DECLARE
    p record;
BEGIN
    FOR p IN SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' LOOP
        IF p.policyname = 'platform' THEN
            EXECUTE format($x$ALTER POLICY platform ON %I USING (roadstead_reach() = 'platform')$x$, p.tablename);
        ELSIF p.policyname = 'partner' OR (p.policyname = 'reporter' AND p.tablename NOT IN ('reports', 'report_pieces'))
        THEN
            EXECUTE format('DROP POLICY %I ON %I', p.policyname, p.tablename);
        END IF;
    END LOOP;
END
$$;

-- A partner: its own tenants, its pool, the customers that let it in, and what is in them. Of reports it sees that they
-- were about it and by whom, and the lines that filled its pool. A reporter: itself and what it handed in. A customer:
-- its own tenant, what is in it, and the name of its partner.
CREATE POLICY wall ON tenants FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN id = roadstead_home() OR (parent = roadstead_home() AND (kind <> 'customer'
        OR (SELECT c.partner_access FROM customers c WHERE c.tenant = tenants.id)))
    WHEN 'customer' THEN id = roadstead_home() END);
CREATE POLICY wall ON tenant_counts FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN (SELECT true FROM tenants t WHERE t.id = tenant_counts.tenant)
    WHEN 'customer' THEN tenant = roadstead_home() END);
CREATE POLICY wall ON partners FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN tenant = roadstead_home()
    WHEN 'customer' THEN (SELECT true FROM customers c WHERE c.tenant = roadstead_home() AND c.partner = partners.tenant)
    END);
CREATE POLICY wall ON qualifications FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN partner = roadstead_home() END);
CREATE POLICY wall ON placements FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN (SELECT true FROM tenants t WHERE t.id = placements.tenant)
    WHEN 'customer' THEN tenant = roadstead_home() END);
CREATE POLICY wall ON devices FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'reporter' THEN false
    ELSE (SELECT true FROM placements p WHERE p.device = devices.id) END);
CREATE POLICY wall ON entitlements FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'reporter' THEN false
    ELSE (SELECT true FROM placements p WHERE p.device = entitlements.device) END);
CREATE POLICY wall ON placement_log FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN partner = roadstead_home() END);
CREATE POLICY wall ON partner_report_counts FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN partner = roadstead_home() END);
CREATE POLICY wall ON report_lines FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN pool = roadstead_home()
    WHEN 'reporter' THEN (SELECT true FROM reports r WHERE r.id = report_lines.report) END);
CREATE POLICY wall ON report_counts FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'reporter' THEN (SELECT true FROM reports r WHERE r.id = report_counts.report) END);
CREATE POLICY wall ON reports FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN (SELECT true FROM partner_report_counts c
                         WHERE c.partner = roadstead_home() AND c.report = reports.id LIMIT 1)
    WHEN 'reporter' THEN reporter = roadstead_home() END);
CREATE POLICY wall ON reporters FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN (SELECT true FROM reports r WHERE r.reporter = reporters.id LIMIT 1)
    WHEN 'reporter' THEN id = roadstead_home() END);

-- What a reporter writes: its reports and the pieces of their files.
ALTER POLICY reporter ON reports USING (roadstead_reach() = 'reporter' AND reporter = roadstead_home());
ALTER POLICY reporter ON report_pieces WITH CHECK (roadstead_reach() = 'reporter');

-- Logs, operations and events of one's own home; work may be asked for by everybody and is done by the platform.
ALTER POLICY home ON operations USING (home = roadstead_home());
ALTER POLICY home ON audit_log USING (home = roadstead_home());
ALTER POLICY home ON outbox WITH CHECK (home = roadstead_home());
ALTER POLICY anybody ON jobs WITH CHECK (roadstead_reach() IN ('reporter', 'partner'));
