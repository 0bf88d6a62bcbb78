-- A partner's pool, for its list. PostgreSQL's part stands behind a wall of its own; on SQLite the list names the tenant.
CREATE VIEW own_pool AS
    SELECT p.tenant, p.device AS id, p.serial, d.product_number, d.model, p.since,
        (SELECT e.ends_on FROM entitlements e WHERE e.device = p.device AND e.support_level = 'premium')
            AS premium_until,
        (SELECT e.ends_on FROM entitlements e WHERE e.device = p.device AND e.support_level = 'premium_plus')
            AS premium_plus_until,
        l.buyer_name, l.invoice, l.sold_on, l.received, n.name AS reporter_name
    FROM placements p JOIN tenants t ON t.id = p.tenant AND t.kind = 'holding' JOIN devices d ON d.id = p.device
    LEFT JOIN report_lines l ON l.report = p.report AND l.line = p.line AND l.pool = t.parent
    LEFT JOIN reports r ON r.id = l.report
    LEFT JOIN reporters n ON n.id = r.reporter;
