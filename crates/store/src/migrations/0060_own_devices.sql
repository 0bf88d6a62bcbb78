-- What a partner asks for most, with the wall once a statement (docs/decisions/0037). PostgreSQL's part narrows
-- own_tenants to the partner that asks, and with it the two views on it; SQLite has no such wall.
CREATE VIEW own_tenants AS SELECT t.id, t.parent, t.kind, t.name FROM tenants t
    WHERE t.kind <> 'customer' OR (SELECT c.partner_access FROM customers c WHERE c.tenant = t.id);

-- The partner is no bare column, so that no plan walks all tenants of a partner to find one of them.
CREATE VIEW own_devices AS
    SELECT b.*, l.buyer, l.buyer_name, l.invoice, l.sold_on, l.shipped_on, n.name AS reporter_name,
        r.received_at AS reported_at
    FROM (SELECT p.device AS id, p.serial, d.serial AS device_serial, d.manufacturer, d.product_number, d.model, p.tenant,
            COALESCE(t.parent, t.id) AS partner, t.kind AS tenant_kind, t.name AS tenant_name, p.generation, p.since,
            p.report, p.line,
            (SELECT e.ends_on FROM entitlements e WHERE e.device = p.device AND e.support_level = 'premium')
                AS premium_until,
            (SELECT e.ends_on FROM entitlements e WHERE e.device = p.device AND e.support_level = 'premium_plus')
                AS premium_plus_until
        FROM placements p, own_tenants t, devices d WHERE t.id = p.tenant AND d.id = p.device) b
    LEFT JOIN report_lines l ON l.report = b.report AND l.line = b.line AND l.pool = b.partner
    LEFT JOIN reports r ON r.id = l.report
    LEFT JOIN reporters n ON n.id = r.reporter;

CREATE VIEW own_rights AS
    SELECT b.*, n.name AS reporter_name
    FROM (SELECT e.device, e.support_level, e.starts_on, e.ends_on, e.assumed, e.report, e.line, e.corrected_at,
            COALESCE(t.parent, t.id) AS partner
        FROM entitlements e, placements p, own_tenants t WHERE p.device = e.device AND t.id = p.tenant) b
    LEFT JOIN report_lines l ON l.report = b.report AND l.line = b.line AND l.pool = b.partner
    LEFT JOIN reports r ON r.id = l.report
    LEFT JOIN reporters n ON n.id = r.reporter;
