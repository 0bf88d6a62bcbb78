-- With the report, so that a page that knows its reports' senders need not look them up for each PC (docs/decisions/0055).
CREATE OR REPLACE VIEW own_pool AS
    SELECT p.tenant, p.device AS id, p.serial, d.product_number, d.model, p.since, e.premium_until, e.premium_plus_until,
        l.buyer_name, l.invoice, l.sold_on, l.received, n.name AS reporter_name, l.report
    FROM placements p JOIN devices d ON d.id = p.device
    LEFT JOIN LATERAL (SELECT MAX(CASE e.support_level WHEN 'premium' THEN e.ends_on END) AS premium_until,
            MAX(CASE e.support_level WHEN 'premium_plus' THEN e.ends_on END) AS premium_plus_until
        FROM entitlements e WHERE e.device = p.device) e ON true
    LEFT JOIN report_lines l ON l.report = p.report AND l.line = p.line AND l.pool = (SELECT t.parent FROM tenants t
        WHERE roadstead_reach() = 'partner' AND t.parent = roadstead_home() AND t.kind = 'holding')
    LEFT JOIN reports r ON r.id = l.report
    LEFT JOIN reporters n ON n.id = r.reporter
    WHERE p.tenant = (SELECT t.id FROM tenants t
        WHERE roadstead_reach() = 'partner' AND t.parent = roadstead_home() AND t.kind = 'holding');
REVOKE ALL ON own_pool FROM roadstead_app;
GRANT SELECT ON own_pool TO roadstead_app;
