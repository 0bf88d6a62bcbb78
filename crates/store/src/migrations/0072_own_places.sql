-- What a transfer reads of many PCs at once, with the wall once a statement (docs/decisions/0037 and 0047). Partner and end
-- customer are asked for each PC: as joins, a plan that knows too little of the tenants walks all PCs of the platform.
CREATE VIEW own_places AS
    SELECT d.serial, p.device, p.generation, p.tenant,
        (SELECT COALESCE(t.parent, t.id) FROM own_tenants t WHERE t.id = p.tenant) AS partner,
        (SELECT l.buyer_name FROM report_lines l WHERE l.report = p.report AND l.line = p.line
            AND l.pool = (SELECT COALESCE(t.parent, t.id) FROM own_tenants t WHERE t.id = p.tenant)) AS buyer_name
    FROM devices d JOIN placements p ON p.device = d.id;
