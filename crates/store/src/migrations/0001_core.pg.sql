-- The second wall, on PostgreSQL: row level security, forced. Each transaction runs as roadstead_app, which owns no
-- table and cannot bypass a policy, and says on whose behalf: roadstead.reach (platform, reporter, partner) and
-- roadstead.home (the reporter's id or the partner tenant's). Without both, nothing is seen.

DO $$
BEGIN
    CREATE ROLE roadstead_app NOLOGIN;
EXCEPTION
    -- Roles belong to the whole cluster: another database, or another node at this moment, has made it.
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'roadstead_app') THEN
            RAISE EXCEPTION 'the role roadstead_app is missing and may not be made: run CREATE ROLE roadstead_app NOLOGIN; GRANT roadstead_app TO %', current_user;
        END IF;
END
$$;
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'roadstead_app', 'MEMBER') THEN
        EXECUTE format('GRANT roadstead_app TO %I', current_user);
    END IF;
END
$$;

CREATE FUNCTION roadstead_reach() RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT current_setting('roadstead.reach', true) $$;
CREATE FUNCTION roadstead_home() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT NULLIF(current_setting('roadstead.home', true), '')::uuid $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO roadstead_app;
REVOKE ALL ON schema_versions FROM roadstead_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO roadstead_app;

DO $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_versions' LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING ((SELECT roadstead_reach()) = 'platform')$p$, t);
    END LOOP;
END
$$;

-- A partner: its own tenants and what is in them.
CREATE POLICY partner ON tenants FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner'
    AND (id = (SELECT roadstead_home()) OR parent = (SELECT roadstead_home())));
CREATE POLICY partner ON tenant_counts FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND tenant IN (SELECT id FROM tenants));
CREATE POLICY partner ON partners FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND tenant = (SELECT roadstead_home()));
CREATE POLICY partner ON qualifications FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND partner = (SELECT roadstead_home()));
CREATE POLICY partner ON placements FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND tenant IN (SELECT id FROM tenants));
CREATE POLICY partner ON devices FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND EXISTS (SELECT FROM placements WHERE device = devices.id));
CREATE POLICY partner ON entitlements FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND EXISTS (SELECT FROM placements WHERE device = entitlements.device));
CREATE POLICY partner ON placement_log FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND partner = (SELECT roadstead_home()));
CREATE POLICY partner ON partner_report_counts FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND partner = (SELECT roadstead_home()));
-- Of reports it sees that they were about it and by whom, and the lines that filled its pool.
CREATE POLICY partner ON report_lines FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND pool = (SELECT roadstead_home()));
CREATE POLICY partner ON reports FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner'
    AND EXISTS (SELECT FROM partner_report_counts c WHERE c.report = reports.id));
CREATE POLICY partner ON reporters FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND EXISTS (SELECT FROM reports r WHERE r.reporter = reporters.id));

-- A reporter: itself and what it handed in.
CREATE POLICY reporter ON reporters FOR SELECT USING (
    (SELECT roadstead_reach()) = 'reporter' AND id = (SELECT roadstead_home()));
CREATE POLICY reporter ON reports USING (
    (SELECT roadstead_reach()) = 'reporter' AND reporter = (SELECT roadstead_home()));
CREATE POLICY reporter ON report_lines FOR SELECT USING (
    (SELECT roadstead_reach()) = 'reporter' AND EXISTS (SELECT FROM reports r WHERE r.id = report_lines.report));
CREATE POLICY reporter ON report_counts FOR SELECT USING (
    (SELECT roadstead_reach()) = 'reporter' AND EXISTS (SELECT FROM reports r WHERE r.id = report_counts.report));
CREATE POLICY reporter ON report_pieces FOR INSERT WITH CHECK ((SELECT roadstead_reach()) = 'reporter');

-- Logs, operations and events of one's own home; work may be asked for by everybody and is done by the platform.
CREATE POLICY home ON operations USING (home = (SELECT roadstead_home()));
CREATE POLICY home ON audit_log USING (home = (SELECT roadstead_home()));
CREATE POLICY home ON outbox FOR INSERT WITH CHECK (home = (SELECT roadstead_home()));
CREATE POLICY anybody ON jobs FOR INSERT WITH CHECK ((SELECT roadstead_reach()) IN ('reporter', 'partner'));
