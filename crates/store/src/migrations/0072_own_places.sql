-- What a transfer reads of many PCs at once, with the wall once a statement (docs/decisions/0037 and 0047). The partner is
-- asked for each PC by its tenant: as a join, a plan that knows too little of the tenants walks all PCs for each of them.
CREATE VIEW own_places AS
    SELECT b.*, l.buyer_name
    FROM (SELECT d.serial, p.device, p.generation, p.tenant, p.report, p.line,
            (SELECT COALESCE(t.parent, t.id) FROM own_tenants t WHERE t.id = p.tenant) AS partner
        FROM devices d JOIN placements p ON p.device = d.id) b
    LEFT JOIN report_lines l ON l.report = b.report AND l.line = b.line AND l.pool = b.partner;
