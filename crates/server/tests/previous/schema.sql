-- The schema of the release that conversation.sql was recorded with, frozen.
CREATE TABLE schema_versions (version BIGINT PRIMARY KEY);
INSERT INTO schema_versions (version) VALUES (1);

-- One text for both engines. Instants are microseconds since 1970 in UTC, days are YYYY-MM-DD, identifiers are
-- UUIDv7. BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY is the engine's own counting key; key columns compare in byte order (the engine checks).

-- Accounts. A partner has at most one holding tenant; nobody but the recording of a qualification makes it.
CREATE TABLE tenants (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('operator', 'partner', 'holding', 'customer')),
    parent UUID REFERENCES tenants (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX one_holding_tenant_a_partner ON tenants (parent) WHERE kind = 'holding';

-- How many PCs a tenant has, kept by the writer of placements: an exact count costs about 1,500 pages of a list.
CREATE TABLE tenant_counts (
    tenant UUID PRIMARY KEY,
    devices BIGINT NOT NULL
);

CREATE TABLE partners (
    tenant UUID PRIMARY KEY REFERENCES tenants (id),
    number TEXT NOT NULL,
    number_key TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX partner_number ON partners (number_key);
CREATE UNIQUE INDEX partner_name_order ON partners (name, tenant);

CREATE TABLE qualifications (
    id UUID PRIMARY KEY,
    partner UUID NOT NULL REFERENCES partners (tenant),
    support_level TEXT NOT NULL CHECK (support_level IN ('premium', 'premium_plus')),
    role TEXT NOT NULL CHECK (role IN ('resell_and_view_monitor', 'service_delivery')),
    course_completed_on TEXT,
    certified_on TEXT,
    expires_on TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
-- A renewal changes the row of its level and role.
CREATE UNIQUE INDEX one_qualification_a_level_and_role ON qualifications (partner, support_level, role);

-- A reseller that reports itself is bound to its own number.
CREATE TABLE reporters (
    id UUID PRIMARY KEY,
    number TEXT NOT NULL,
    number_key TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('distributor', 'reseller')),
    only_seller TEXT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX reporter_number ON reporters (number_key);

-- home is the tenant or reporter that the user belongs to; null is the operator's.
CREATE TABLE users (
    id UUID PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    home UUID,
    language TEXT,
    created_at BIGINT NOT NULL,
    deactivated_at BIGINT
);
CREATE UNIQUE INDEX user_email ON users (email_key);

-- Only hashes of secrets are kept.
CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    secret_hash BYTEA NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    csrf TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX session_secret ON sessions (secret_hash);

CREATE TABLE tokens (
    id UUID PRIMARY KEY,
    secret_hash BYTEA NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    home UUID,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX token_secret ON tokens (secret_hash);

-- The same bytes from the same reporter are one report.
CREATE TABLE reports (
    id UUID PRIMARY KEY,
    reporter UUID NOT NULL REFERENCES reporters (id),
    operation UUID NOT NULL,
    file_name TEXT NOT NULL,
    format TEXT NOT NULL,
    sha256 BYTEA NOT NULL,
    bytes BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    validate_only BOOLEAN NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'running', 'succeeded', 'failed')),
    received_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE UNIQUE INDEX same_bytes_once ON reports (reporter, sha256) WHERE NOT validate_only;
CREATE INDEX reports_of_reporter ON reports (reporter, id);

-- The file as received, in pieces, until every line of it is in report_lines.
CREATE TABLE report_pieces (
    report UUID NOT NULL,
    piece BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (report, piece)
);

-- Every line as received, with what it came to. A rejected line has no transaction kind and keeps its cells in
-- `received`, as does a line whose normal form differs. `pool` is the partner whose pool the line changed.
-- `waits_for` is the partner's number that frees a parked line; null once it is freed or withdrawn.
CREATE TABLE report_lines (
    report UUID NOT NULL,
    line BIGINT NOT NULL,
    file_row BIGINT NOT NULL,
    transaction_kind TEXT,
    sold_on TEXT,
    shipped_on TEXT,
    seller TEXT NOT NULL,
    buyer TEXT NOT NULL,
    buyer_name TEXT NOT NULL,
    country TEXT NOT NULL,
    product_number TEXT NOT NULL,
    model TEXT NOT NULL,
    support_level TEXT,
    manufacturer TEXT NOT NULL,
    serial TEXT NOT NULL,
    invoice TEXT NOT NULL,
    supersedes TEXT NOT NULL,
    received TEXT,
    verdict TEXT NOT NULL,
    reasons TEXT,
    pool UUID,
    waits_for TEXT,
    judged_at BIGINT NOT NULL,
    PRIMARY KEY (report, line)
);
-- A line that repeats another word for word adds nothing to what the rules know (a duplicate with a reason does), so
-- that a report sent anew every week does not make them slower.
CREATE INDEX report_lines_of_serial ON report_lines (serial)
    WHERE transaction_kind IS NOT NULL AND (verdict <> 'duplicate' OR reasons IS NOT NULL);
CREATE INDEX report_lines_waiting ON report_lines (waits_for, report, line) WHERE waits_for IS NOT NULL;
CREATE INDEX report_lines_not_placed ON report_lines (report, verdict, line) WHERE verdict <> 'placed';

CREATE TABLE report_counts (
    report UUID NOT NULL,
    verdict TEXT NOT NULL,
    lines BIGINT NOT NULL,
    PRIMARY KEY (report, verdict)
);

-- What was reported about a partner, for its page.
CREATE TABLE partner_report_counts (
    partner UUID NOT NULL,
    report UUID NOT NULL,
    verdict TEXT NOT NULL,
    lines BIGINT NOT NULL,
    PRIMARY KEY (partner, report, verdict)
);

-- manufacturer is empty for the platform's own.
CREATE TABLE devices (
    id UUID PRIMARY KEY,
    serial TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    product_number TEXT NOT NULL,
    model TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX device_serial ON devices (serial, manufacturer);

-- Where a PC is. One writer, by compare-and-swap on generation; tenant is null after a return. serial and search
-- (lower case: serial, product, model, end customer, invoice) stand here so that a list reads one index.
CREATE TABLE placements (
    device UUID PRIMARY KEY,
    tenant UUID,
    generation BIGINT NOT NULL,
    serial TEXT NOT NULL,
    search TEXT NOT NULL,
    since BIGINT NOT NULL,
    report UUID,
    line BIGINT
);
CREATE INDEX placements_by_serial ON placements (tenant, serial, device);
CREATE INDEX placements_by_arrival ON placements (tenant, since, device);

-- Append-only, one row a move and partner; each row's hash covers the one before.
CREATE TABLE placement_log (
    partner UUID NOT NULL,
    seq BIGINT NOT NULL,
    device UUID NOT NULL,
    serial TEXT NOT NULL,
    from_tenant UUID,
    to_tenant UUID,
    generation BIGINT NOT NULL,
    report UUID,
    line BIGINT,
    at BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (partner, seq)
);
CREATE INDEX placement_log_of_device ON placement_log (device, generation);
CREATE TABLE placement_log_heads (
    partner UUID PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL
);

CREATE TABLE entitlements (
    device UUID NOT NULL,
    support_level TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    ends_on TEXT NOT NULL,
    assumed BOOLEAN NOT NULL,
    report UUID NOT NULL,
    line BIGINT NOT NULL,
    PRIMARY KEY (device, support_level)
);

-- The names under which support levels are sold; null says that none was.
CREATE TABLE support_level_names (
    name TEXT PRIMARY KEY,
    support_level TEXT
);

-- Long work as its caller sees it. home as in users.
CREATE TABLE operations (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    home UUID,
    state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    result TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Work to do, made in the transaction that makes it necessary. Jobs of one lane run one after the other, in the order
-- of their ids: a reporter's return must not overtake its sale.
CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    subject UUID NOT NULL,
    lane UUID NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    leased_until BIGINT,
    last_error TEXT,
    dead BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE NOT dead;
CREATE INDEX jobs_of_lane ON jobs (lane, id) WHERE NOT dead;

-- What live pages are told; the table is the truth, a notification only wakes.
CREATE TABLE outbox (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home UUID,
    event TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE audit_log (
    id UUID PRIMARY KEY,
    home UUID,
    actor_kind TEXT NOT NULL,
    actor UUID,
    action TEXT NOT NULL,
    subject UUID,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX audit_log_of_home ON audit_log (home, id);

-- Answers to POSTs with an Idempotency-Key, kept for 24 hours.
CREATE TABLE idempotency_keys (
    caller UUID NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (caller, idempotency_key)
);

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
