-- Where a partner's PCs are, for transfers, with the wall once a PC (docs/decisions/0048). The tenant is looked up by a
-- subquery and not by a join, so that no plan begins with a partner's tenants, however few of them are guessed.
CREATE VIEW own_places AS
    SELECT d.id AS device, d.serial, p.tenant, p.generation, p.search,
        (SELECT t.parent FROM own_tenants t WHERE t.id = p.tenant) AS partner,
        (SELECT c.assignment FROM customers c WHERE c.tenant = p.tenant) AS assignment
    FROM devices d, placements p
    WHERE p.device = d.id AND (SELECT t.parent FROM own_tenants t WHERE t.id = p.tenant) IS NOT NULL;

-- What the page of a pool shows of its partner, with one wall (docs/decisions/0037).
CREATE VIEW own_partner AS
    SELECT p.tenant, p.number, h.id AS pool, c.devices
    FROM partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding'
    LEFT JOIN tenant_counts c ON c.tenant = h.id;
CREATE VIEW own_shares AS
    SELECT k.partner, k.report, k.verdict, k.lines, r.reporter, r.received_at, n.name AS reporter_name
    FROM partner_report_counts k, reports r, reporters n WHERE r.id = k.report AND n.id = r.reporter AND k.lines > 0;
