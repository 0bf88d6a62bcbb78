-- With the report, so that a page that knows its reports' senders need not look them up for each PC (docs/decisions/0055).
DROP VIEW own_pool;
CREATE VIEW own_pool AS
    SELECT p.tenant, p.device AS id, p.serial, d.product_number, d.model, p.since,
        (SELECT e.ends_on FROM entitlements e WHERE e.device = p.device AND e.support_level = 'premium')
            AS premium_until,
        (SELECT e.ends_on FROM entitlements e WHERE e.device = p.device AND e.support_level = 'premium_plus')
            AS premium_plus_until,
        l.buyer_name, l.invoice, l.sold_on, l.received,
        (SELECT n.name FROM reports r JOIN reporters n ON n.id = r.reporter WHERE r.id = l.report) AS reporter_name,
        l.report
    FROM placements p JOIN tenants t ON t.id = p.tenant AND t.kind = 'holding' JOIN devices d ON d.id = p.device
    LEFT JOIN report_lines l ON l.report = p.report AND l.line = p.line AND l.pool = t.parent;
