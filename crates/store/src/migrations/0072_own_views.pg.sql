-- The walls of two of the views; that of own_places is own_tenants'.
CREATE OR REPLACE VIEW own_partner AS
    SELECT p.tenant, p.number, h.id AS pool, c.devices
    FROM partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding'
    LEFT JOIN tenant_counts c ON c.tenant = h.id
    WHERE CASE roadstead_reach() WHEN 'partner' THEN p.tenant = roadstead_home() END;
CREATE OR REPLACE VIEW own_shares AS
    SELECT k.partner, k.report, k.verdict, k.lines, r.reporter, r.received_at, n.name AS reporter_name
    FROM partner_report_counts k, reports r, reporters n WHERE r.id = k.report AND n.id = r.reporter AND k.lines > 0
        AND CASE roadstead_reach() WHEN 'partner' THEN k.partner = roadstead_home() END;
REVOKE ALL ON own_places, own_partner, own_shares FROM roadstead_app;
GRANT SELECT ON own_places, own_partner, own_shares TO roadstead_app;

-- As for the views before: what an owner that is no superuser may read.
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['partners', 'tenant_counts', 'partner_report_counts'] LOOP
        EXECUTE format('CREATE POLICY owner_reads ON %I FOR SELECT TO CURRENT_USER USING (true)', t);
    END LOOP;
END
$$;
