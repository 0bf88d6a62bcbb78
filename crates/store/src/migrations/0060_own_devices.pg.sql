-- The wall of the views. They read as their owner, past the walls of the tables, so nobody else's tenant may come through
-- this one. CASE, so that tenants are found by their id and not by their parent.
CREATE OR REPLACE VIEW own_tenants AS SELECT t.id, t.parent, t.kind, t.name FROM tenants t
    WHERE CASE roadstead_reach() WHEN 'partner' THEN t.parent = roadstead_home()
        AND (t.kind <> 'customer' OR (SELECT c.partner_access FROM customers c WHERE c.tenant = t.id)) END;
REVOKE ALL ON own_tenants, own_devices, own_rights FROM roadstead_app;
GRANT SELECT ON own_tenants, own_devices, own_rights TO roadstead_app;

-- An owner that is no superuser is bound by the tables' walls, too; what these views need it may read.
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['tenants', 'customers', 'placements', 'devices', 'entitlements', 'report_lines', 'reports',
        'reporters'] LOOP
        EXECUTE format('CREATE POLICY owner_reads ON %I FOR SELECT TO CURRENT_USER USING (true)', t);
    END LOOP;
END
$$;
