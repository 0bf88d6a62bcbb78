-- Where the PCs that a transfer finds are, by their ids, and as before by what stands on them: those of the partner's own
-- tenants and of its customers that are open to it (docs/decisions/0052). The tenant is looked up by a subquery, as in 0072.
CREATE VIEW own_placements AS
    SELECT p.device, p.serial, p.tenant, p.generation, p.search,
        (SELECT t.parent FROM tenants t LEFT JOIN customers c ON c.tenant = t.id WHERE t.id = p.tenant
            AND (t.kind <> 'customer' OR (c.partner_access AND c.assignment = 'accepted'))) AS partner
    FROM placements p;
DROP VIEW own_places;
CREATE VIEW own_places AS
    SELECT d.id AS device, d.serial, p.tenant, p.generation, p.search, p.partner, 'accepted' AS assignment
    FROM devices d, own_placements p WHERE p.device = d.id;
