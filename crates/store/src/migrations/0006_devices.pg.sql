DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['cpins', 'cpin_guesses', 'customer_domains', 'zero_touch_serials', 'device_keys',
        'enrolments', 'device_nonces', 'check_ins', 'customer_privacy', 'personal_data']
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO roadstead_app', t);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING ((SELECT roadstead_reach()) = 'platform')$p$, t);
    END LOOP;
END
$$;

-- A customer's own, for itself and for the partner that manages it.
CREATE POLICY partner ON cpins FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND customer IN (SELECT id FROM tenants));
CREATE POLICY customer ON cpins FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND customer = (SELECT roadstead_home()));
CREATE POLICY partner ON customer_domains FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND customer IN (SELECT id FROM tenants));
CREATE POLICY customer ON customer_domains FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND customer = (SELECT roadstead_home()));
CREATE POLICY partner ON zero_touch_serials FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND customer IN (SELECT id FROM tenants));
CREATE POLICY customer ON zero_touch_serials FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND customer = (SELECT roadstead_home()));
-- What hangs on a PC is seen by whoever sees its placement.
CREATE POLICY placed ON device_keys FOR SELECT USING (
    (SELECT roadstead_reach()) IN ('partner', 'customer')
    AND EXISTS (SELECT FROM placements p WHERE p.device = device_keys.device));
CREATE POLICY placed ON check_ins FOR SELECT USING (
    (SELECT roadstead_reach()) IN ('partner', 'customer')
    AND EXISTS (SELECT FROM placements p WHERE p.device = check_ins.device));
CREATE POLICY partner ON customer_privacy FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND customer IN (SELECT id FROM tenants));
CREATE POLICY customer ON customer_privacy FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND customer = (SELECT roadstead_home()));
-- Of persons: only whoever has the PC now, and of its own time with it.
CREATE POLICY placed ON personal_data FOR SELECT USING (
    (SELECT roadstead_reach()) IN ('partner', 'customer')
    AND EXISTS (SELECT FROM placements p JOIN tenants t ON t.id = p.tenant
        WHERE p.device = personal_data.device AND p.generation = personal_data.generation AND t.kind = 'customer'));
-- An enrolment is seen from both of its sides.
CREATE POLICY partner ON enrolments FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner'
    AND (SELECT roadstead_home()) IN (customer_partner, holder_partner));
CREATE POLICY customer ON enrolments FOR SELECT USING (
    (SELECT roadstead_reach()) = 'customer' AND (SELECT roadstead_home()) IN (customer, holder));
