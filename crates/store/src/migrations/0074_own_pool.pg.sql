-- The wall is asked once a statement and not once a PC, and both entitlements are found by one look-up: a sixth less to do
-- for a page (docs/decisions/0050).
CREATE OR REPLACE VIEW own_pool AS
    SELECT p.tenant, p.device AS id, p.serial, d.product_number, d.model, p.since, e.premium_until, e.premium_plus_until,
        l.buyer_name, l.invoice, l.sold_on, l.received, n.name AS reporter_name
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

-- Which tenants are the partner's is found out once a statement and kept by hash, not once a PC (docs/decisions/0050).
CREATE OR REPLACE VIEW own_places AS
    SELECT d.id AS device, d.serial, p.tenant, p.generation, p.search, roadstead_home() AS partner,
        (SELECT c.assignment FROM customers c WHERE c.tenant = p.tenant) AS assignment
    FROM devices d, placements p
    WHERE p.device = d.id AND CASE WHEN p.tenant IN (SELECT t.id FROM tenants t
        WHERE roadstead_reach() = 'partner' AND t.parent = roadstead_home() AND (t.kind <> 'customer'
            OR (SELECT c.partner_access FROM customers c WHERE c.tenant = t.id))) THEN true END;
