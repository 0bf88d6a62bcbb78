-- Which of the partner's tenants are open to it is found out once a statement and kept by hash. The views are one: plans
-- see through them.
CREATE OR REPLACE VIEW own_placements AS
    SELECT p.device, p.serial, p.tenant, p.generation, p.search, roadstead_home() AS partner
    FROM placements p
    WHERE CASE WHEN p.tenant IN (SELECT t.id FROM tenants t
        WHERE roadstead_reach() = 'partner' AND t.parent = roadstead_home() AND (t.kind <> 'customer'
            OR (SELECT c.partner_access AND c.assignment = 'accepted' FROM customers c WHERE c.tenant = t.id)))
        THEN true END;
REVOKE ALL ON own_placements, own_places FROM roadstead_app;
GRANT SELECT ON own_placements, own_places TO roadstead_app;
