-- part 1
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, name, role, home, created_at, used_at, revoked_at FROM tokens WHERE secret_hash = '\xbc74497443f916801837351d7629ee4d379ba66f59345745c6f1b50d15423a6d' AND revoked_at IS NULL
;;
ROLLBACK
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
UPDATE tokens SET used_at = '1795599472172021' WHERE id = '01a21211-9540-78eb-83e8-0c2e173fa22f'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
INSERT INTO tenants (id, kind, name, created_at) VALUES ('01a21211-962b-72b5-bb7f-7b333e18894b', 'partner', 'Partner R-1', '1795599472171582')
;;
INSERT INTO partners (tenant, number, number_key, name, created_at) VALUES ('01a21211-962b-72b5-bb7f-7b333e18894b', 'R-1', 'R-1', 'Partner R-1', '1795599472171582')
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-9631-7e2c-96e7-0344336fc65c}'::uuid[], '{NULL}'::uuid[], '{token}'::text[], '{01a21211-9540-78eb-83e8-0c2e173fa22f}'::uuid[], '{partner.created}'::text[], '{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{"{\"partner_number\":\"R-1\",\"name\":\"Partner R-1\"}"}'::text[], '{1795599472177429}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
INSERT INTO jobs (id, kind, subject, lane, run_at, attempts, dead, created_at) VALUES ('01a21211-9632-719a-94cd-d30028fd1985', 'replay_partner', '01a21211-962b-72b5-bb7f-7b333e18894b', '01a21211-962b-72b5-bb7f-7b333e18894b', '1795599472171582', 0, 'f', '1795599472178225')
;;
SELECT pg_notify('roadstead', '')
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT seq, home, event FROM outbox WHERE seq > '0' ORDER BY seq LIMIT '500'
;;
ROLLBACK
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, kind, subject FROM jobs WHERE NOT dead AND run_at <= '1795599472179115' AND (leased_until IS NULL OR leased_until <= '1795599472179115') AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id < jobs.id AND NOT e.dead AND e.run_at <= '1795599472179115') ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
;;
UPDATE jobs SET leased_until = '1795599532179115' WHERE id = '01a21211-9632-719a-94cd-d30028fd1985'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, kind, subject FROM jobs WHERE NOT dead AND run_at <= '1795599472182237' AND (leased_until IS NULL OR leased_until <= '1795599472182237') AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id < jobs.id AND NOT e.dead AND e.run_at <= '1795599472182237') ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT MIN(CASE WHEN leased_until IS NULL OR leased_until < run_at THEN run_at ELSE leased_until END) FROM jobs WHERE NOT dead AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id < jobs.id AND NOT e.dead AND e.run_at <= jobs.run_at)
;;
ROLLBACK
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT p.tenant AS id, p.number, p.name, p.created_at, h.id AS holding FROM partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.tenant = '01a21211-962b-72b5-bb7f-7b333e18894b' OR p.number_key = '01A21211-962B-72B5-BB7F-7B333E18894B'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT p.tenant AS id, p.number, p.name, p.created_at, h.id AS holding FROM partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.tenant = '01a21211-962b-72b5-bb7f-7b333e18894b' OR p.number_key = '01A21211-962B-72B5-BB7F-7B333E18894B'
;;
SELECT id, partner, support_level, role, course_completed_on, certified_on, expires_on FROM qualifications WHERE partner = '01a21211-962b-72b5-bb7f-7b333e18894b' ORDER BY created_at, id
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
DELETE FROM jobs WHERE id = '01a21211-9632-719a-94cd-d30028fd1985'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT pg_advisory_xact_lock(1919901540)
;;
SELECT l.report, l.line, r.reporter, l.transaction_kind, l.sold_on, l.shipped_on, l.seller, l.buyer, l.buyer_name, l.product_number, l.model, l.support_level, l.manufacturer, l.serial, l.invoice, l.supersedes, l.verdict FROM report_lines l JOIN reports r ON r.id = l.report WHERE l.waits_for = 'R-1' AND (l.report, l.line) > ('00000000-0000-0000-0000-000000000000', '0') AND NOT r.validate_only ORDER BY l.report, l.line LIMIT '10000'
;;
ROLLBACK
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
INSERT INTO qualifications (id, partner, support_level, role, course_completed_on, certified_on, expires_on, created_at, updated_at) VALUES ('01a21211-963a-7a06-b2d0-d379c305af4a', '01a21211-962b-72b5-bb7f-7b333e18894b', 'premium_plus', 'service_delivery', '2026-01-01', '2026-01-02', NULL, '1795599472186089', '1795599472186089') ON CONFLICT (partner, support_level, role) DO UPDATE SET course_completed_on = excluded.course_completed_on, certified_on = excluded.certified_on, expires_on = excluded.expires_on, updated_at = excluded.updated_at RETURNING id
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-963c-76c9-9e5a-aa2e9232ff76}'::uuid[], '{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{token}'::text[], '{01a21211-9540-78eb-83e8-0c2e173fa22f}'::uuid[], '{qualification.recorded}'::text[], '{01a21211-963a-7a06-b2d0-d379c305af4a}'::uuid[], '{"{\"support_level\":\"premium_plus\",\"role\":\"service_delivery\",\"standing\":\"valid\"}"}'::text[], '{1795599472188721}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
INSERT INTO tenants (id, kind, parent, name, created_at) SELECT '01a21211-963f-7d9b-86b9-6f34ef5506db', 'holding', p.tenant, p.name, '1795599472191587' FROM partners p WHERE p.tenant = '01a21211-962b-72b5-bb7f-7b333e18894b' ON CONFLICT (parent) WHERE kind = 'holding' DO NOTHING
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-9640-7797-87e2-a421cf36bf1e}'::uuid[], '{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{token}'::text[], '{01a21211-9540-78eb-83e8-0c2e173fa22f}'::uuid[], '{holding_tenant.created}'::text[], '{01a21211-963f-7d9b-86b9-6f34ef5506db}'::uuid[], '{"{}"}'::text[], '{1795599472192833}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
INSERT INTO jobs (id, kind, subject, lane, run_at, attempts, dead, created_at) VALUES ('01a21211-9642-7c7a-a802-f89f82415280', 'replay_partner', '01a21211-962b-72b5-bb7f-7b333e18894b', '01a21211-962b-72b5-bb7f-7b333e18894b', '1795599472186089', 0, 'f', '1795599472194472')
;;
SELECT pg_notify('roadstead', '')
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, kind, subject FROM jobs WHERE NOT dead AND run_at <= '1795599472201034' AND (leased_until IS NULL OR leased_until <= '1795599472201034') AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id < jobs.id AND NOT e.dead AND e.run_at <= '1795599472201034') ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
;;
UPDATE jobs SET leased_until = '1795599532201034' WHERE id = '01a21211-9642-7c7a-a802-f89f82415280'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT p.tenant AS id, p.number, p.name, p.created_at, h.id AS holding FROM partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.tenant = '01a21211-962b-72b5-bb7f-7b333e18894b' OR p.number_key = '01A21211-962B-72B5-BB7F-7B333E18894B'
;;
SELECT id, partner, support_level, role, course_completed_on, certified_on, expires_on FROM qualifications WHERE partner = '01a21211-962b-72b5-bb7f-7b333e18894b' ORDER BY created_at, id
;;
INSERT INTO tenants (id, kind, parent, name, created_at) SELECT '01a21211-964d-79e4-9839-1722ab09142b', 'holding', p.tenant, p.name, '1795599472205426' FROM partners p WHERE p.tenant = '01a21211-962b-72b5-bb7f-7b333e18894b' ON CONFLICT (parent) WHERE kind = 'holding' DO NOTHING
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
DELETE FROM jobs WHERE id = '01a21211-9642-7c7a-a802-f89f82415280'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
INSERT INTO reporters (id, number, number_key, name, kind, only_seller, created_at) VALUES ('01a21211-964b-7ea9-9a0c-d92324d2b2c7', 'D-1', 'D-1', 'Distributor D-1', 'distributor', NULL, '1795599472203724')
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-965f-759f-82db-9cfcf42b7385}'::uuid[], '{NULL}'::uuid[], '{token}'::text[], '{01a21211-9540-78eb-83e8-0c2e173fa22f}'::uuid[], '{reporter.created}'::text[], '{01a21211-964b-7ea9-9a0c-d92324d2b2c7}'::uuid[], '{"{\"reporter_number\":\"D-1\",\"name\":\"Distributor D-1\",\"kind\":\"distributor\"}"}'::text[], '{1795599472223192}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, number, name, kind, only_seller, created_at FROM reporters WHERE (id = NULL OR number_key = 'D-1') AND ('t' OR id = NULL)
;;
SELECT r.id, r.reporter, p.name AS reporter_name, p.number AS reporter_number, p.only_seller, r.operation, r.file_name, r.format, r.bytes, r.lines, r.validate_only, r.state, r.received_at, r.finished_at, o.done FROM reports r JOIN reporters p ON p.id = r.reporter JOIN operations o ON o.id = r.operation WHERE r.reporter = '01a21211-964b-7ea9-9a0c-d92324d2b2c7' AND r.sha256 = '\x4414ff34570aa6277a7e0502377c5dadb40ffcc74cc3517d7918d36e8eeec1f4' AND NOT r.validate_only AND ('t' OR r.reporter = NULL)
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
INSERT INTO reports (id, reporter, operation, file_name, format, sha256, bytes, lines, validate_only, state, received_at) VALUES ('01a21211-966c-74cf-a912-d98e8eba6598', '01a21211-964b-7ea9-9a0c-d92324d2b2c7', '01a21211-966c-7b59-a3d1-9093a690613c', 'report.csv', 'csv', '\x4414ff34570aa6277a7e0502377c5dadb40ffcc74cc3517d7918d36e8eeec1f4', '326', '4', 'f', 'received', '1795599472236737')
;;
INSERT INTO operations (id, kind, home, state, done, total, created_at, updated_at) VALUES ('01a21211-966c-7b59-a3d1-9093a690613c', 'ingest_report', '01a21211-964b-7ea9-9a0c-d92324d2b2c7', 'running', 0, '4', '1795599472236737', '1795599472236737')
;;
INSERT INTO report_pieces (report, piece, bytes) VALUES ('01a21211-966c-74cf-a912-d98e8eba6598', '0', '\x5472616e73616374696f6e2c5472616e73616374696f6e20446174652c526573656c6c65722049442c50726f64756374204e756d6265722c53657276696365204c6576656c2c53657269616c204e756d6265722c5175616e746974792c496e766f696365204e756d6265720a73616c652c323032362d31312d31382c522d312c365431413245412c5072656d69756d2b2c354347303030303030412c312c494e562d310a73616c652c323032362d31312d31382c522d312c365431413245412c5072656d69756d2b2c354347303030303030422c312c494e562d310a73616c652c323032362d31312d31382c522d392c365431413245412c5072656d69756d2b2c354347303030303030502c312c494e562d310a73616c652c323032362d31312d31382c522d312c365431413245412c5072656d69756d2b2c35434721212c312c494e562d31')
;;
INSERT INTO jobs (id, kind, subject, lane, run_at, attempts, dead, created_at) VALUES ('01a21211-9682-7b94-a378-51745549a73c', 'ingest_report', '01a21211-966c-74cf-a912-d98e8eba6598', '01a21211-964b-7ea9-9a0c-d92324d2b2c7', '1795599472236737', 0, 'f', '1795599472258361')
;;
SELECT pg_notify('roadstead', '')
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-9683-7112-9eb4-9d160df7d314}'::uuid[], '{01a21211-964b-7ea9-9a0c-d92324d2b2c7}'::uuid[], '{token}'::text[], '{01a21211-9540-78eb-83e8-0c2e173fa22f}'::uuid[], '{report.received}'::text[], '{01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{"{\"file\":\"report.csv\",\"lines\":4,\"validate_only\":false}"}'::text[], '{1795599472259308}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
SELECT pg_advisory_xact_lock(1702260340)
;;
INSERT INTO outbox (home, event, at) SELECT * FROM unnest('{01a21211-964b-7ea9-9a0c-d92324d2b2c7}'::uuid[], '{"{\"kind\":\"report.progress\",\"report\":\"01a21211-966c-74cf-a912-d98e8eba6598\",\"operation\":\"01a21211-966c-7b59-a3d1-9093a690613c\",\"done\":0,\"total\":4}"}'::text[], '{1795599472236737}'::bigint[]) AS u (column1, column2, column3)
;;
SELECT pg_notify('roadstead', '')
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, kind, state, done, total, result, created_at, updated_at FROM operations WHERE id = '01a21211-966c-7b59-a3d1-9093a690613c' AND ('t' OR home = NULL)
;;
ROLLBACK
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, kind, subject FROM jobs WHERE NOT dead AND run_at <= '1795599472276653' AND (leased_until IS NULL OR leased_until <= '1795599472276653') AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id < jobs.id AND NOT e.dead AND e.run_at <= '1795599472276653') ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
;;
UPDATE jobs SET leased_until = '1795599532276653' WHERE id = '01a21211-9682-7b94-a378-51745549a73c'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT r.id, r.reporter, p.name AS reporter_name, p.number AS reporter_number, p.only_seller, r.operation, r.file_name, r.format, r.bytes, r.lines, r.validate_only, r.state, r.received_at, r.finished_at, o.done FROM reports r JOIN reporters p ON p.id = r.reporter JOIN operations o ON o.id = r.operation WHERE r.id = '01a21211-966c-74cf-a912-d98e8eba6598' AND ('t' OR r.reporter = NULL)
;;
UPDATE reports SET state = 'running', finished_at = NULL WHERE id = '01a21211-966c-74cf-a912-d98e8eba6598'
;;
SELECT name, support_level FROM support_level_names
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT bytes FROM report_pieces WHERE report = '01a21211-966c-74cf-a912-d98e8eba6598' AND piece = '0'
;;
ROLLBACK
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT pg_advisory_xact_lock(1919901540)
;;
SELECT d.id, d.serial, d.manufacturer, p.generation, p.tenant, t.kind, t.parent FROM (SELECT value FROM json_array_elements_text('["5CG000000A","5CG000000B","5CG000000P"]'::json)) s CROSS JOIN devices d LEFT JOIN placements p ON p.device = d.id LEFT JOIN tenants t ON t.id = p.tenant WHERE d.serial = s.value
;;
SELECT l.serial, l.manufacturer, l.report, l.line, r.reporter, l.transaction_kind, l.seller, l.invoice, l.verdict, l.waits_for IS NOT NULL AS waits, l.pool FROM (SELECT value FROM json_array_elements_text('["5CG000000A","5CG000000B","5CG000000P"]'::json)) s CROSS JOIN report_lines l CROSS JOIN reports r WHERE l.serial = s.value AND l.transaction_kind IS NOT NULL AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL) AND r.id = l.report AND (NOT r.validate_only OR r.id = NULL) ORDER BY l.judged_at, l.report, l.line
;;
SELECT p.number_key, p.tenant, h.id FROM (SELECT value FROM json_array_elements_text('["","R-1","R-9"]'::json)) s CROSS JOIN partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.number_key = s.value
;;
SELECT q.id, q.partner, q.support_level, q.role, q.course_completed_on, q.certified_on, q.expires_on FROM (SELECT value FROM json_array_elements_text('["","R-1","R-9"]'::json)) s CROSS JOIN partners p CROSS JOIN qualifications q WHERE p.number_key = s.value AND q.partner = p.tenant
;;
INSERT INTO devices (id, serial, manufacturer, product_number, model, created_at) SELECT * FROM unnest('{01a21211-96cd-79c1-84bf-8c97cb7824bf,01a21211-96cd-79c1-84bf-8c97cb7824c0}'::uuid[], '{5CG000000A,5CG000000B}'::text[], '{"",""}'::text[], '{6T1A2EA,6T1A2EA}'::text[], '{"",""}'::text[], '{1795599472307919,1795599472307919}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6)
;;
INSERT INTO placements (device, tenant, generation, serial, search, since, report, line) SELECT * FROM unnest('{01a21211-96cd-79c1-84bf-8c97cb7824bf,01a21211-96cd-79c1-84bf-8c97cb7824c0}'::uuid[], '{01a21211-963f-7d9b-86b9-6f34ef5506db,01a21211-963f-7d9b-86b9-6f34ef5506db}'::uuid[], '{1,1}'::bigint[], '{5CG000000A,5CG000000B}'::text[], '{"5cg000000a
6t1a2ea


inv-1","5cg000000b
6t1a2ea


inv-1"}'::text[], '{1795599472307919,1795599472307919}'::bigint[], '{01a21211-966c-74cf-a912-d98e8eba6598,01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{1,2}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8) ON CONFLICT (device) DO NOTHING
;;
SELECT seq, hash FROM placement_log_heads WHERE partner = '01a21211-962b-72b5-bb7f-7b333e18894b'
;;
INSERT INTO placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, report, line, at, hash) SELECT * FROM unnest('{01a21211-962b-72b5-bb7f-7b333e18894b,01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{1,2}'::bigint[], '{01a21211-96cd-79c1-84bf-8c97cb7824bf,01a21211-96cd-79c1-84bf-8c97cb7824c0}'::uuid[], '{5CG000000A,5CG000000B}'::text[], '{NULL,NULL}'::uuid[], '{01a21211-963f-7d9b-86b9-6f34ef5506db,01a21211-963f-7d9b-86b9-6f34ef5506db}'::uuid[], '{1,1}'::bigint[], '{01a21211-966c-74cf-a912-d98e8eba6598,01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{1,2}'::bigint[], '{1795599472307919,1795599472307919}'::bigint[], '{"\\xff4ff05a9e6cee5a2cb5a315a955704b8d965f6015dff5062c03d2331928a2e4","\\xeb15c64f8d06fa26360739f57ff4d9e5760e0185cc0829cf8f6b239370e4a203"}'::bytea[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11)
;;
INSERT INTO placement_log_heads (partner, seq, hash) SELECT * FROM unnest('{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{2}'::bigint[], '{"\\xeb15c64f8d06fa26360739f57ff4d9e5760e0185cc0829cf8f6b239370e4a203"}'::bytea[]) AS u (column1, column2, column3) ON CONFLICT (partner) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
;;
INSERT INTO tenant_counts (tenant, devices) SELECT * FROM unnest('{01a21211-963f-7d9b-86b9-6f34ef5506db}'::uuid[], '{2}'::bigint[]) AS u (column1, column2) ON CONFLICT (tenant) DO UPDATE SET devices = tenant_counts.devices + excluded.devices
;;
INSERT INTO entitlements (device, support_level, starts_on, ends_on, assumed, report, line) SELECT * FROM unnest('{01a21211-96cd-79c1-84bf-8c97cb7824bf,01a21211-96cd-79c1-84bf-8c97cb7824c0}'::uuid[], '{premium_plus,premium_plus}'::text[], '{2026-11-18,2026-11-18}'::text[], '{2029-11-18,2029-11-18}'::text[], '{t,t}'::boolean[], '{01a21211-966c-74cf-a912-d98e8eba6598,01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{1,2}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7) ON CONFLICT (device, support_level) DO UPDATE SET starts_on = excluded.starts_on, ends_on = excluded.ends_on, assumed = excluded.assumed, report = excluded.report, line = excluded.line
;;
SELECT pg_advisory_xact_lock(1702260340)
;;
INSERT INTO outbox (home, event, at) SELECT * FROM unnest('{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{"{\"kind\":\"unassigned_devices.changed\",\"arrived\":2,\"left\":0,\"report\":\"01a21211-966c-74cf-a912-d98e8eba6598\"}"}'::text[], '{1795599472307919}'::bigint[]) AS u (column1, column2, column3)
;;
SELECT pg_notify('roadstead', '')
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-96e8-70cf-8009-ca54862d136e}'::uuid[], '{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{system}'::text[], '{NULL}'::uuid[], '{pool.changed}'::text[], '{01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{"{\"arrived\":2,\"left\":0}"}'::text[], '{1795599472360832}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
INSERT INTO report_lines (report, line, file_row, transaction_kind, sold_on, shipped_on, seller, buyer, buyer_name, country, product_number, model, support_level, manufacturer, serial, invoice, supersedes, received, verdict, reasons, pool, waits_for, judged_at) SELECT * FROM unnest('{01a21211-966c-74cf-a912-d98e8eba6598,01a21211-966c-74cf-a912-d98e8eba6598,01a21211-966c-74cf-a912-d98e8eba6598,01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{4,1,2,3}'::bigint[], '{5,2,3,4}'::bigint[], '{NULL,sale,sale,sale}'::text[], '{NULL,2026-11-18,2026-11-18,2026-11-18}'::text[], '{NULL,NULL,NULL,NULL}'::text[], '{R-1,R-1,R-1,R-9}'::text[], '{"","","",""}'::text[], '{"","","",""}'::text[], '{"","","",""}'::text[], '{6T1A2EA,6T1A2EA,6T1A2EA,6T1A2EA}'::text[], '{"","","",""}'::text[], '{NULL,premium_plus,premium_plus,premium_plus}'::text[], '{"","","",""}'::text[], '{5CG!!,5CG000000A,5CG000000B,5CG000000P}'::text[], '{INV-1,INV-1,INV-1,INV-1}'::text[], '{"","","",""}'::text[], '{"{\"invoice\":\"INV-1\",\"level\":\"Premium+\",\"product\":\"6T1A2EA\",\"quantity\":\"1\",\"seller\":\"R-1\",\"serial\":\"5CG!!\",\"transaction\":\"sale\",\"transaction_date\":\"2026-11-18\"}",NULL,NULL,NULL}'::text[], '{rejected.serial_invalid,placed,placed,parked.unknown_seller}'::text[], '{"[{\"code\":\"rejected.serial_invalid\",\"field\":\"serial\",\"received\":\"5CG!!\"}]",NULL,NULL,NULL}'::text[], '{NULL,01a21211-962b-72b5-bb7f-7b333e18894b,01a21211-962b-72b5-bb7f-7b333e18894b,NULL}'::uuid[], '{NULL,NULL,NULL,R-9}'::text[], '{1795599472307919,1795599472307919,1795599472307919,1795599472307919}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11, column12, column13, column14, column15, column16, column17, column18, column19, column20, column21, column22, column23)
;;
INSERT INTO report_counts (report, verdict, lines) SELECT * FROM unnest('{01a21211-966c-74cf-a912-d98e8eba6598,01a21211-966c-74cf-a912-d98e8eba6598,01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{rejected.serial_invalid,parked.unknown_seller,placed}'::text[], '{1,1,2}'::bigint[]) AS u (column1, column2, column3) ON CONFLICT (report, verdict) DO UPDATE SET lines = report_counts.lines + excluded.lines
;;
INSERT INTO partner_report_counts (partner, report, verdict, lines) SELECT * FROM unnest('{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{placed}'::text[], '{2}'::bigint[]) AS u (column1, column2, column3, column4) ON CONFLICT (partner, report, verdict) DO UPDATE SET lines = partner_report_counts.lines + excluded.lines
;;
UPDATE operations SET done = '4', updated_at = '1795599472307919' WHERE id = '01a21211-966c-7b59-a3d1-9093a690613c'
;;
SELECT pg_advisory_xact_lock(1702260340)
;;
INSERT INTO outbox (home, event, at) SELECT * FROM unnest('{01a21211-964b-7ea9-9a0c-d92324d2b2c7}'::uuid[], '{"{\"kind\":\"report.progress\",\"report\":\"01a21211-966c-74cf-a912-d98e8eba6598\",\"operation\":\"01a21211-966c-7b59-a3d1-9093a690613c\",\"done\":4,\"total\":4}"}'::text[], '{1795599472307919}'::bigint[]) AS u (column1, column2, column3)
;;
SELECT pg_notify('roadstead', '')
;;
UPDATE jobs SET leased_until = '1795599532384073', attempts = 0 WHERE id = '01a21211-9682-7b94-a378-51745549a73c'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
UPDATE reports SET state = 'succeeded', finished_at = '1795599472391778' WHERE id = '01a21211-966c-74cf-a912-d98e8eba6598'
;;
DELETE FROM report_pieces WHERE report = '01a21211-966c-74cf-a912-d98e8eba6598'
;;
SELECT c.verdict, c.lines FROM report_counts c JOIN reports r ON r.id = c.report WHERE c.report = '01a21211-966c-74cf-a912-d98e8eba6598' AND c.lines > 0 AND ('t' OR r.reporter = NULL)
;;
UPDATE operations SET state = 'succeeded', result = '{"report":"01a21211-966c-74cf-a912-d98e8eba6598","counts":{"parked.unknown_seller":1,"placed":2,"rejected.serial_invalid":1}}', updated_at = '1795599472391778' WHERE id = '01a21211-966c-7b59-a3d1-9093a690613c'
;;
SELECT pg_advisory_xact_lock(1702260340)
;;
INSERT INTO outbox (home, event, at) SELECT * FROM unnest('{01a21211-964b-7ea9-9a0c-d92324d2b2c7}'::uuid[], '{"{\"kind\":\"report.progress\",\"report\":\"01a21211-966c-74cf-a912-d98e8eba6598\",\"operation\":\"01a21211-966c-7b59-a3d1-9093a690613c\",\"done\":4,\"total\":4}"}'::text[], '{1795599472391778}'::bigint[]) AS u (column1, column2, column3)
;;
SELECT pg_notify('roadstead', '')
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
DELETE FROM jobs WHERE id = '01a21211-9682-7b94-a378-51745549a73c'
;;
COMMIT
;;
-- part 2
BEGIN
;;
SELECT pg_advisory_xact_lock(1835624306)
;;
CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY)
;;
SELECT COALESCE(MAX(version), 0) FROM schema_versions
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT p.tenant AS id, p.number, p.name, p.created_at, h.id AS holding FROM partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.tenant = NULL OR p.number_key = 'R-1'
;;
INSERT INTO users (id, email, email_key, name, password_hash, role, home, language, created_at) VALUES ('01a21211-97fe-75da-9149-e419664cab88', 'one@example.com', 'one@example.com', 'One', '$argon2id$v=19$m=19456,t=2,p=1$HD/fM9rv6eUfqodpqepjog$xy3dlIjnn0p4pari+ZpqAfC3Bwfc9yWu5qJvSDRHrzc', 'partner_admin', '01a21211-962b-72b5-bb7f-7b333e18894b', NULL, '1795599472638203')
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-97ff-75da-9fc7-ab3e49f4328d}'::uuid[], '{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{system}'::text[], '{NULL}'::uuid[], '{user.created}'::text[], '{01a21211-97fe-75da-9149-e419664cab88}'::uuid[], '{"{\"email\":\"one@example.com\",\"role\":\"partner_admin\"}"}'::text[], '{1795599472639113}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
INSERT INTO reports (id, reporter, operation, file_name, format, sha256, bytes, lines, validate_only, state, received_at) VALUES ('01a21211-9808-7e69-81d2-303281b063c9', '01a21211-964b-7ea9-9a0c-d92324d2b2c7', '01a21211-9808-709e-950b-403b21e1d5ca', 'report.csv', 'csv', '\x2b8dcf79dd0359c4197b451083e876f1160906fbf7518457953c3f32934652d4', '277', '3', 'f', 'received', '1795599472648682')
;;
INSERT INTO operations (id, kind, home, state, done, total, created_at, updated_at) VALUES ('01a21211-9808-709e-950b-403b21e1d5ca', 'ingest_report', '01a21211-964b-7ea9-9a0c-d92324d2b2c7', 'running', 0, '3', '1795599472648682', '1795599472648682')
;;
INSERT INTO report_pieces (report, piece, bytes) VALUES ('01a21211-9808-7e69-81d2-303281b063c9', '0', '\x5472616e73616374696f6e2c5472616e73616374696f6e20446174652c526573656c6c65722049442c50726f64756374204e756d6265722c53657276696365204c6576656c2c53657269616c204e756d6265722c5175616e746974792c496e766f696365204e756d6265720a72657475726e2c323032362d31312d31392c522d312c365431413245412c5072656d69756d2b2c354347303030303030412c2d312c494e562d310a73616c652c323032362d31312d32302c522d312c365431413245412c5072656d69756d2c354347303030303030432c312c494e562d320a73616c652c323032362d31312d32302c522d312c365431413245412c5072656d69756d2b2c354347303030303030422c312c494e562d32')
;;
INSERT INTO jobs (id, kind, subject, lane, run_at, attempts, dead, created_at) VALUES ('01a21211-980a-7fd3-883f-ec4dfb9d128e', 'ingest_report', '01a21211-9808-7e69-81d2-303281b063c9', '01a21211-964b-7ea9-9a0c-d92324d2b2c7', '1795599472648682', 0, 'f', '1795599472650148')
;;
SELECT pg_notify('roadstead', '')
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-980a-76cb-9d7d-47d2ef333e4f}'::uuid[], '{01a21211-964b-7ea9-9a0c-d92324d2b2c7}'::uuid[], '{token}'::text[], '{01a21211-9540-78eb-83e8-0c2e173fa22f}'::uuid[], '{report.received}'::text[], '{01a21211-9808-7e69-81d2-303281b063c9}'::uuid[], '{"{\"file\":\"report.csv\",\"lines\":3,\"validate_only\":false}"}'::text[], '{1795599472650432}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
SELECT pg_advisory_xact_lock(1702260340)
;;
INSERT INTO outbox (home, event, at) SELECT * FROM unnest('{01a21211-964b-7ea9-9a0c-d92324d2b2c7}'::uuid[], '{"{\"kind\":\"report.progress\",\"report\":\"01a21211-9808-7e69-81d2-303281b063c9\",\"operation\":\"01a21211-9808-709e-950b-403b21e1d5ca\",\"done\":0,\"total\":3}"}'::text[], '{1795599472648682}'::bigint[]) AS u (column1, column2, column3)
;;
SELECT pg_notify('roadstead', '')
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, kind, subject FROM jobs WHERE NOT dead AND run_at <= '1795599472652530' AND (leased_until IS NULL OR leased_until <= '1795599472652530') AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id < jobs.id AND NOT e.dead AND e.run_at <= '1795599472652530') ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
;;
UPDATE jobs SET leased_until = '1795599532652530' WHERE id = '01a21211-980a-7fd3-883f-ec4dfb9d128e'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT r.id, r.reporter, p.name AS reporter_name, p.number AS reporter_number, p.only_seller, r.operation, r.file_name, r.format, r.bytes, r.lines, r.validate_only, r.state, r.received_at, r.finished_at, o.done FROM reports r JOIN reporters p ON p.id = r.reporter JOIN operations o ON o.id = r.operation WHERE r.id = '01a21211-9808-7e69-81d2-303281b063c9' AND ('t' OR r.reporter = NULL)
;;
UPDATE reports SET state = 'running', finished_at = NULL WHERE id = '01a21211-9808-7e69-81d2-303281b063c9'
;;
SELECT name, support_level FROM support_level_names
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT pg_advisory_xact_lock(1919901540)
;;
SELECT d.id, d.serial, d.manufacturer, p.generation, p.tenant, t.kind, t.parent FROM (SELECT value FROM json_array_elements_text('["5CG000000A","5CG000000B","5CG000000C"]'::json)) s CROSS JOIN devices d LEFT JOIN placements p ON p.device = d.id LEFT JOIN tenants t ON t.id = p.tenant WHERE d.serial = s.value
;;
SELECT l.serial, l.manufacturer, l.report, l.line, r.reporter, l.transaction_kind, l.seller, l.invoice, l.verdict, l.waits_for IS NOT NULL AS waits, l.pool FROM (SELECT value FROM json_array_elements_text('["5CG000000A","5CG000000B","5CG000000C"]'::json)) s CROSS JOIN report_lines l CROSS JOIN reports r WHERE l.serial = s.value AND l.transaction_kind IS NOT NULL AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL) AND r.id = l.report AND (NOT r.validate_only OR r.id = NULL) ORDER BY l.judged_at, l.report, l.line
;;
SELECT p.number_key, p.tenant, h.id FROM (SELECT value FROM json_array_elements_text('["","R-1"]'::json)) s CROSS JOIN partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.number_key = s.value
;;
SELECT q.id, q.partner, q.support_level, q.role, q.course_completed_on, q.certified_on, q.expires_on FROM (SELECT value FROM json_array_elements_text('["","R-1"]'::json)) s CROSS JOIN partners p CROSS JOIN qualifications q WHERE p.number_key = s.value AND q.partner = p.tenant
;;
INSERT INTO devices (id, serial, manufacturer, product_number, model, created_at) SELECT * FROM unnest('{01a21211-9824-7fa6-96a1-9fbf02bf3b29}'::uuid[], '{5CG000000C}'::text[], '{""}'::text[], '{6T1A2EA}'::text[], '{""}'::text[], '{1795599472663916}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6)
;;
INSERT INTO placements (device, tenant, generation, serial, search, since, report, line) SELECT * FROM unnest('{01a21211-9824-7fa6-96a1-9fbf02bf3b29}'::uuid[], '{01a21211-963f-7d9b-86b9-6f34ef5506db}'::uuid[], '{1}'::bigint[], '{5CG000000C}'::text[], '{"5cg000000c
6t1a2ea


inv-2"}'::text[], '{1795599472663916}'::bigint[], '{01a21211-9808-7e69-81d2-303281b063c9}'::uuid[], '{2}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8) ON CONFLICT (device) DO NOTHING
;;
UPDATE placements SET tenant = v.column3, generation = v.column4, search = v.column5, since = v.column6, report = v.column7, line = v.column8 FROM ( SELECT * FROM unnest('{01a21211-96cd-79c1-84bf-8c97cb7824bf}'::uuid[], '{1}'::bigint[], '{NULL}'::uuid[], '{2}'::bigint[], '{"5cg000000a
6t1a2ea


inv-1"}'::text[], '{1795599472663916}'::bigint[], '{01a21211-9808-7e69-81d2-303281b063c9}'::uuid[], '{1}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8) ) AS v WHERE placements.device = v.column1 AND placements.generation = v.column2
;;
SELECT seq, hash FROM placement_log_heads WHERE partner = '01a21211-962b-72b5-bb7f-7b333e18894b'
;;
INSERT INTO placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, report, line, at, hash) SELECT * FROM unnest('{01a21211-962b-72b5-bb7f-7b333e18894b,01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{3,4}'::bigint[], '{01a21211-96cd-79c1-84bf-8c97cb7824bf,01a21211-9824-7fa6-96a1-9fbf02bf3b29}'::uuid[], '{5CG000000A,5CG000000C}'::text[], '{01a21211-963f-7d9b-86b9-6f34ef5506db,NULL}'::uuid[], '{NULL,01a21211-963f-7d9b-86b9-6f34ef5506db}'::uuid[], '{2,1}'::bigint[], '{01a21211-9808-7e69-81d2-303281b063c9,01a21211-9808-7e69-81d2-303281b063c9}'::uuid[], '{1,2}'::bigint[], '{1795599472663916,1795599472663916}'::bigint[], '{"\\x971e76c1cb6c5568fe68d50f65656dcf6a984425762b45f7de57d0e5f6bca5fc","\\xab1b78862ac6770d160947929d5b653aaa353d66f936e17a71b67260011dae8b"}'::bytea[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11)
;;
INSERT INTO placement_log_heads (partner, seq, hash) SELECT * FROM unnest('{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{4}'::bigint[], '{"\\xab1b78862ac6770d160947929d5b653aaa353d66f936e17a71b67260011dae8b"}'::bytea[]) AS u (column1, column2, column3) ON CONFLICT (partner) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
;;
DELETE FROM entitlements WHERE device = '01a21211-96cd-79c1-84bf-8c97cb7824bf'
;;
INSERT INTO entitlements (device, support_level, starts_on, ends_on, assumed, report, line) SELECT * FROM unnest('{01a21211-9824-7fa6-96a1-9fbf02bf3b29}'::uuid[], '{premium}'::text[], '{2026-11-20}'::text[], '{2029-11-20}'::text[], '{t}'::boolean[], '{01a21211-9808-7e69-81d2-303281b063c9}'::uuid[], '{2}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7) ON CONFLICT (device, support_level) DO UPDATE SET starts_on = excluded.starts_on, ends_on = excluded.ends_on, assumed = excluded.assumed, report = excluded.report, line = excluded.line
;;
SELECT pg_advisory_xact_lock(1702260340)
;;
INSERT INTO outbox (home, event, at) SELECT * FROM unnest('{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{"{\"kind\":\"unassigned_devices.changed\",\"arrived\":1,\"left\":1,\"report\":\"01a21211-9808-7e69-81d2-303281b063c9\"}"}'::text[], '{1795599472663916}'::bigint[]) AS u (column1, column2, column3)
;;
SELECT pg_notify('roadstead', '')
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-9830-7a58-8335-694aa7506262}'::uuid[], '{01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{system}'::text[], '{NULL}'::uuid[], '{pool.changed}'::text[], '{01a21211-9808-7e69-81d2-303281b063c9}'::uuid[], '{"{\"arrived\":1,\"left\":1}"}'::text[], '{1795599472688042}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
INSERT INTO report_lines (report, line, file_row, transaction_kind, sold_on, shipped_on, seller, buyer, buyer_name, country, product_number, model, support_level, manufacturer, serial, invoice, supersedes, received, verdict, reasons, pool, waits_for, judged_at) SELECT * FROM unnest('{01a21211-9808-7e69-81d2-303281b063c9,01a21211-9808-7e69-81d2-303281b063c9,01a21211-9808-7e69-81d2-303281b063c9}'::uuid[], '{1,3,2}'::bigint[], '{2,4,3}'::bigint[], '{return,sale,sale}'::text[], '{2026-11-19,2026-11-20,2026-11-20}'::text[], '{NULL,NULL,NULL}'::text[], '{R-1,R-1,R-1}'::text[], '{"","",""}'::text[], '{"","",""}'::text[], '{"","",""}'::text[], '{6T1A2EA,6T1A2EA,6T1A2EA}'::text[], '{"","",""}'::text[], '{premium_plus,premium_plus,premium}'::text[], '{"","",""}'::text[], '{5CG000000A,5CG000000B,5CG000000C}'::text[], '{INV-1,INV-2,INV-2}'::text[], '{"","",""}'::text[], '{"{\"quantity\":\"-1\"}",NULL,NULL}'::text[], '{returned,duplicate,placed}'::text[], '{NULL,"[{\"code\":\"held_by_seller\"}]",NULL}'::text[], '{01a21211-962b-72b5-bb7f-7b333e18894b,NULL,01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{NULL,NULL,NULL}'::text[], '{1795599472663916,1795599472663916,1795599472663916}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11, column12, column13, column14, column15, column16, column17, column18, column19, column20, column21, column22, column23)
;;
INSERT INTO report_counts (report, verdict, lines) SELECT * FROM unnest('{01a21211-9808-7e69-81d2-303281b063c9,01a21211-9808-7e69-81d2-303281b063c9,01a21211-9808-7e69-81d2-303281b063c9}'::uuid[], '{duplicate,returned,placed}'::text[], '{1,1,1}'::bigint[]) AS u (column1, column2, column3) ON CONFLICT (report, verdict) DO UPDATE SET lines = report_counts.lines + excluded.lines
;;
INSERT INTO partner_report_counts (partner, report, verdict, lines) SELECT * FROM unnest('{01a21211-962b-72b5-bb7f-7b333e18894b,01a21211-962b-72b5-bb7f-7b333e18894b,01a21211-962b-72b5-bb7f-7b333e18894b}'::uuid[], '{01a21211-9808-7e69-81d2-303281b063c9,01a21211-9808-7e69-81d2-303281b063c9,01a21211-9808-7e69-81d2-303281b063c9}'::uuid[], '{duplicate,returned,placed}'::text[], '{1,1,1}'::bigint[]) AS u (column1, column2, column3, column4) ON CONFLICT (partner, report, verdict) DO UPDATE SET lines = partner_report_counts.lines + excluded.lines
;;
UPDATE operations SET done = '3', updated_at = '1795599472663916' WHERE id = '01a21211-9808-709e-950b-403b21e1d5ca'
;;
SELECT pg_advisory_xact_lock(1702260340)
;;
INSERT INTO outbox (home, event, at) SELECT * FROM unnest('{01a21211-964b-7ea9-9a0c-d92324d2b2c7}'::uuid[], '{"{\"kind\":\"report.progress\",\"report\":\"01a21211-9808-7e69-81d2-303281b063c9\",\"operation\":\"01a21211-9808-709e-950b-403b21e1d5ca\",\"done\":3,\"total\":3}"}'::text[], '{1795599472663916}'::bigint[]) AS u (column1, column2, column3)
;;
SELECT pg_notify('roadstead', '')
;;
UPDATE jobs SET leased_until = '1795599532700211', attempts = 0 WHERE id = '01a21211-980a-7fd3-883f-ec4dfb9d128e'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
UPDATE reports SET state = 'succeeded', finished_at = '1795599472701946' WHERE id = '01a21211-9808-7e69-81d2-303281b063c9'
;;
DELETE FROM report_pieces WHERE report = '01a21211-9808-7e69-81d2-303281b063c9'
;;
SELECT c.verdict, c.lines FROM report_counts c JOIN reports r ON r.id = c.report WHERE c.report = '01a21211-9808-7e69-81d2-303281b063c9' AND c.lines > 0 AND ('t' OR r.reporter = NULL)
;;
UPDATE operations SET state = 'succeeded', result = '{"report":"01a21211-9808-7e69-81d2-303281b063c9","counts":{"duplicate":1,"placed":1,"returned":1}}', updated_at = '1795599472701946' WHERE id = '01a21211-9808-709e-950b-403b21e1d5ca'
;;
SELECT pg_advisory_xact_lock(1702260340)
;;
INSERT INTO outbox (home, event, at) SELECT * FROM unnest('{01a21211-964b-7ea9-9a0c-d92324d2b2c7}'::uuid[], '{"{\"kind\":\"report.progress\",\"report\":\"01a21211-9808-7e69-81d2-303281b063c9\",\"operation\":\"01a21211-9808-709e-950b-403b21e1d5ca\",\"done\":3,\"total\":3}"}'::text[], '{1795599472701946}'::bigint[]) AS u (column1, column2, column3)
;;
SELECT pg_notify('roadstead', '')
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
DELETE FROM jobs WHERE id = '01a21211-980a-7fd3-883f-ec4dfb9d128e'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
INSERT INTO tenants (id, kind, name, created_at) VALUES ('01a21211-987a-717b-abfc-ed51dd0bba6e', 'partner', 'Partner R-9', '1795599472762447')
;;
INSERT INTO partners (tenant, number, number_key, name, created_at) VALUES ('01a21211-987a-717b-abfc-ed51dd0bba6e', 'R-9', 'R-9', 'Partner R-9', '1795599472762447')
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-987b-7252-918d-63303a395506}'::uuid[], '{NULL}'::uuid[], '{token}'::text[], '{01a21211-9540-78eb-83e8-0c2e173fa22f}'::uuid[], '{partner.created}'::text[], '{01a21211-987a-717b-abfc-ed51dd0bba6e}'::uuid[], '{"{\"partner_number\":\"R-9\",\"name\":\"Partner R-9\"}"}'::text[], '{1795599472763983}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
INSERT INTO jobs (id, kind, subject, lane, run_at, attempts, dead, created_at) VALUES ('01a21211-987c-7c49-8d32-84880beca543', 'replay_partner', '01a21211-987a-717b-abfc-ed51dd0bba6e', '01a21211-987a-717b-abfc-ed51dd0bba6e', '1795599472762447', 0, 'f', '1795599472764538')
;;
SELECT pg_notify('roadstead', '')
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, kind, subject FROM jobs WHERE NOT dead AND run_at <= '1795599472765843' AND (leased_until IS NULL OR leased_until <= '1795599472765843') AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id < jobs.id AND NOT e.dead AND e.run_at <= '1795599472765843') ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
;;
UPDATE jobs SET leased_until = '1795599532765843' WHERE id = '01a21211-987c-7c49-8d32-84880beca543'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
INSERT INTO qualifications (id, partner, support_level, role, course_completed_on, certified_on, expires_on, created_at, updated_at) VALUES ('01a21211-988d-7ade-92cf-ece631b008ba', '01a21211-987a-717b-abfc-ed51dd0bba6e', 'premium_plus', 'service_delivery', '2026-01-01', '2026-01-02', NULL, '1795599472779546', '1795599472779546') ON CONFLICT (partner, support_level, role) DO UPDATE SET course_completed_on = excluded.course_completed_on, certified_on = excluded.certified_on, expires_on = excluded.expires_on, updated_at = excluded.updated_at RETURNING id
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-988f-796c-8dd1-d3372f835bee}'::uuid[], '{01a21211-987a-717b-abfc-ed51dd0bba6e}'::uuid[], '{token}'::text[], '{01a21211-9540-78eb-83e8-0c2e173fa22f}'::uuid[], '{qualification.recorded}'::text[], '{01a21211-988d-7ade-92cf-ece631b008ba}'::uuid[], '{"{\"support_level\":\"premium_plus\",\"role\":\"service_delivery\",\"standing\":\"valid\"}"}'::text[], '{1795599472783584}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
INSERT INTO tenants (id, kind, parent, name, created_at) SELECT '01a21211-988f-7f58-94d7-b90bb45c815c', 'holding', p.tenant, p.name, '1795599472783974' FROM partners p WHERE p.tenant = '01a21211-987a-717b-abfc-ed51dd0bba6e' ON CONFLICT (parent) WHERE kind = 'holding' DO NOTHING
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-9892-7683-8012-033aee577a16}'::uuid[], '{01a21211-987a-717b-abfc-ed51dd0bba6e}'::uuid[], '{token}'::text[], '{01a21211-9540-78eb-83e8-0c2e173fa22f}'::uuid[], '{holding_tenant.created}'::text[], '{01a21211-988f-7f58-94d7-b90bb45c815c}'::uuid[], '{"{}"}'::text[], '{1795599472786540}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
INSERT INTO jobs (id, kind, subject, lane, run_at, attempts, dead, created_at) VALUES ('01a21211-9892-73d6-be41-b90f75c26352', 'replay_partner', '01a21211-987a-717b-abfc-ed51dd0bba6e', '01a21211-987a-717b-abfc-ed51dd0bba6e', '1795599472779546', 0, 'f', '1795599472786819')
;;
SELECT pg_notify('roadstead', '')
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT pg_advisory_xact_lock(1919901540)
;;
SELECT l.report, l.line, r.reporter, l.transaction_kind, l.sold_on, l.shipped_on, l.seller, l.buyer, l.buyer_name, l.product_number, l.model, l.support_level, l.manufacturer, l.serial, l.invoice, l.supersedes, l.verdict FROM report_lines l JOIN reports r ON r.id = l.report WHERE l.waits_for = 'R-9' AND (l.report, l.line) > ('00000000-0000-0000-0000-000000000000', '0') AND NOT r.validate_only ORDER BY l.report, l.line LIMIT '10000'
;;
SELECT pg_advisory_xact_lock(1919901540)
;;
SELECT d.id, d.serial, d.manufacturer, p.generation, p.tenant, t.kind, t.parent FROM (SELECT value FROM json_array_elements_text('["5CG000000P"]'::json)) s CROSS JOIN devices d LEFT JOIN placements p ON p.device = d.id LEFT JOIN tenants t ON t.id = p.tenant WHERE d.serial = s.value
;;
SELECT l.serial, l.manufacturer, l.report, l.line, r.reporter, l.transaction_kind, l.seller, l.invoice, l.verdict, l.waits_for IS NOT NULL AS waits, l.pool FROM (SELECT value FROM json_array_elements_text('["5CG000000P"]'::json)) s CROSS JOIN report_lines l CROSS JOIN reports r WHERE l.serial = s.value AND l.transaction_kind IS NOT NULL AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL) AND r.id = l.report AND (NOT r.validate_only OR r.id = NULL) ORDER BY l.judged_at, l.report, l.line
;;
SELECT p.number_key, p.tenant, h.id FROM (SELECT value FROM json_array_elements_text('["","R-9"]'::json)) s CROSS JOIN partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.number_key = s.value
;;
SELECT q.id, q.partner, q.support_level, q.role, q.course_completed_on, q.certified_on, q.expires_on FROM (SELECT value FROM json_array_elements_text('["","R-9"]'::json)) s CROSS JOIN partners p CROSS JOIN qualifications q WHERE p.number_key = s.value AND q.partner = p.tenant
;;
INSERT INTO devices (id, serial, manufacturer, product_number, model, created_at) SELECT * FROM unnest('{01a21211-98a3-7593-9be4-07d29dcdc216}'::uuid[], '{5CG000000P}'::text[], '{""}'::text[], '{6T1A2EA}'::text[], '{""}'::text[], '{1795599472770525}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6)
;;
INSERT INTO placements (device, tenant, generation, serial, search, since, report, line) SELECT * FROM unnest('{01a21211-98a3-7593-9be4-07d29dcdc216}'::uuid[], '{01a21211-988f-7f58-94d7-b90bb45c815c}'::uuid[], '{1}'::bigint[], '{5CG000000P}'::text[], '{"5cg000000p
6t1a2ea


inv-1"}'::text[], '{1795599472770525}'::bigint[], '{01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{3}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8) ON CONFLICT (device) DO NOTHING
;;
SELECT seq, hash FROM placement_log_heads WHERE partner = '01a21211-987a-717b-abfc-ed51dd0bba6e'
;;
INSERT INTO placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, report, line, at, hash) SELECT * FROM unnest('{01a21211-987a-717b-abfc-ed51dd0bba6e}'::uuid[], '{1}'::bigint[], '{01a21211-98a3-7593-9be4-07d29dcdc216}'::uuid[], '{5CG000000P}'::text[], '{NULL}'::uuid[], '{01a21211-988f-7f58-94d7-b90bb45c815c}'::uuid[], '{1}'::bigint[], '{01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{3}'::bigint[], '{1795599472770525}'::bigint[], '{"\\x9efee3d4da5db768be836dcc36e39f38ed22b8b68a3e5f8bbb115b02b4f540b4"}'::bytea[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11)
;;
INSERT INTO placement_log_heads (partner, seq, hash) SELECT * FROM unnest('{01a21211-987a-717b-abfc-ed51dd0bba6e}'::uuid[], '{1}'::bigint[], '{"\\x9efee3d4da5db768be836dcc36e39f38ed22b8b68a3e5f8bbb115b02b4f540b4"}'::bytea[]) AS u (column1, column2, column3) ON CONFLICT (partner) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
;;
INSERT INTO tenant_counts (tenant, devices) SELECT * FROM unnest('{01a21211-988f-7f58-94d7-b90bb45c815c}'::uuid[], '{1}'::bigint[]) AS u (column1, column2) ON CONFLICT (tenant) DO UPDATE SET devices = tenant_counts.devices + excluded.devices
;;
INSERT INTO entitlements (device, support_level, starts_on, ends_on, assumed, report, line) SELECT * FROM unnest('{01a21211-98a3-7593-9be4-07d29dcdc216}'::uuid[], '{premium_plus}'::text[], '{2026-11-18}'::text[], '{2029-11-18}'::text[], '{t}'::boolean[], '{01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{3}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7) ON CONFLICT (device, support_level) DO UPDATE SET starts_on = excluded.starts_on, ends_on = excluded.ends_on, assumed = excluded.assumed, report = excluded.report, line = excluded.line
;;
SELECT pg_advisory_xact_lock(1702260340)
;;
INSERT INTO outbox (home, event, at) SELECT * FROM unnest('{01a21211-987a-717b-abfc-ed51dd0bba6e}'::uuid[], '{"{\"kind\":\"unassigned_devices.changed\",\"arrived\":1,\"left\":0,\"report\":\"01a21211-966c-74cf-a912-d98e8eba6598\"}"}'::text[], '{1795599472770525}'::bigint[]) AS u (column1, column2, column3)
;;
SELECT pg_notify('roadstead', '')
;;
INSERT INTO audit_log (id, home, actor_kind, actor, action, subject, detail, at) SELECT * FROM unnest('{01a21211-98a9-746d-8394-4b408f72ab1f}'::uuid[], '{01a21211-987a-717b-abfc-ed51dd0bba6e}'::uuid[], '{system}'::text[], '{NULL}'::uuid[], '{pool.changed}'::text[], '{01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{"{\"arrived\":1,\"left\":0}"}'::text[], '{1795599472809486}'::bigint[]) AS u (column1, column2, column3, column4, column5, column6, column7, column8)
;;
UPDATE report_lines SET verdict = 'placed', reasons = NULL, pool = '01a21211-987a-717b-abfc-ed51dd0bba6e', waits_for = NULL, judged_at = '1795599472770525' WHERE report = '01a21211-966c-74cf-a912-d98e8eba6598' AND line = '3'
;;
INSERT INTO report_counts (report, verdict, lines) SELECT * FROM unnest('{01a21211-966c-74cf-a912-d98e8eba6598,01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{parked.unknown_seller,placed}'::text[], '{-1,1}'::bigint[]) AS u (column1, column2, column3) ON CONFLICT (report, verdict) DO UPDATE SET lines = report_counts.lines + excluded.lines
;;
INSERT INTO partner_report_counts (partner, report, verdict, lines) SELECT * FROM unnest('{01a21211-987a-717b-abfc-ed51dd0bba6e}'::uuid[], '{01a21211-966c-74cf-a912-d98e8eba6598}'::uuid[], '{placed}'::text[], '{1}'::bigint[]) AS u (column1, column2, column3, column4) ON CONFLICT (partner, report, verdict) DO UPDATE SET lines = partner_report_counts.lines + excluded.lines
;;
UPDATE jobs SET leased_until = '1795599532816323', attempts = 0 WHERE id = '01a21211-987c-7c49-8d32-84880beca543'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
DELETE FROM jobs WHERE id = '01a21211-987c-7c49-8d32-84880beca543'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT id, kind, subject FROM jobs WHERE NOT dead AND run_at <= '1795599472819816' AND (leased_until IS NULL OR leased_until <= '1795599472819816') AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id < jobs.id AND NOT e.dead AND e.run_at <= '1795599472819816') ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
;;
UPDATE jobs SET leased_until = '1795599532819816' WHERE id = '01a21211-9892-73d6-be41-b90f75c26352'
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
SELECT p.tenant AS id, p.number, p.name, p.created_at, h.id AS holding FROM partners p LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.tenant = '01a21211-987a-717b-abfc-ed51dd0bba6e' OR p.number_key = '01A21211-987A-717B-ABFC-ED51DD0BBA6E'
;;
SELECT id, partner, support_level, role, course_completed_on, certified_on, expires_on FROM qualifications WHERE partner = '01a21211-987a-717b-abfc-ed51dd0bba6e' ORDER BY created_at, id
;;
INSERT INTO tenants (id, kind, parent, name, created_at) SELECT '01a21211-98b6-7aba-83c6-8cda0ca92514', 'holding', p.tenant, p.name, '1795599472822445' FROM partners p WHERE p.tenant = '01a21211-987a-717b-abfc-ed51dd0bba6e' ON CONFLICT (parent) WHERE kind = 'holding' DO NOTHING
;;
COMMIT
;;
BEGIN; SET LOCAL ROLE roadstead_app; SET LOCAL roadstead.reach = 'platform'; SET LOCAL roadstead.home = ''
;;
DELETE FROM jobs WHERE id = '01a21211-9892-73d6-be41-b90f75c26352'
;;
COMMIT
;;
