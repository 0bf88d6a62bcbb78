-- The view also tells the cells of the sale that its columns do not say, its order among them.
DROP VIEW own_devices;
CREATE VIEW own_devices AS
    SELECT b.*, l.buyer, l.buyer_name, l.invoice, l.sold_on, l.shipped_on, n.name AS reporter_name,
        r.received_at AS reported_at, l.received
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
