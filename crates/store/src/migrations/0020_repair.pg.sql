DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['alerts', 'device_channels', 'pop_ups', 'repair_cases', 'repair_notes', 'repair_parts']
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO roadstead_app', t);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING (roadstead_reach() = 'platform')$p$, t);
    END LOOP;
END
$$;

CREATE POLICY wall ON alerts FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'partner' THEN (SELECT true FROM tenants t WHERE t.id = alerts.tenant)
    WHEN 'customer' THEN tenant = roadstead_home() END);
-- Whoever moves a PC moves its alerts, and its pop-ups are looked at anew.
CREATE POLICY partner_moves ON alerts FOR UPDATE
    USING (roadstead_reach() = 'partner' AND (SELECT true FROM tenants t WHERE t.id = alerts.tenant))
    WITH CHECK (roadstead_reach() = 'partner' AND (SELECT true FROM tenants t WHERE t.id = alerts.tenant));
CREATE POLICY partner_moves ON pop_ups
    USING (roadstead_reach() = 'partner' AND (SELECT true FROM placements p WHERE p.device = pop_ups.device));
CREATE POLICY partner_moves ON device_channels
    USING (roadstead_reach() = 'partner' AND (SELECT true FROM placements p WHERE p.device = device_channels.device));

CREATE POLICY wall ON repair_cases FOR SELECT USING (CASE roadstead_reach()
    WHEN 'platform' THEN true
    WHEN 'desk' THEN desk = 'customer_support'
    WHEN 'partner' THEN roadstead_home() IN (partner, desk_partner)
    WHEN 'customer' THEN tenant = roadstead_home() END);
-- The desk's own writing is for the desk alone; which of a case's rows another side is shown is for the flow to say.
CREATE POLICY wall ON repair_notes FOR SELECT USING (
    roadstead_reach() IN ('desk', 'partner', 'customer')
    AND (SELECT true FROM repair_cases c WHERE c.id = repair_notes.repair_case));
CREATE POLICY wall ON repair_parts FOR SELECT USING (
    roadstead_reach() IN ('desk', 'partner', 'customer')
    AND (SELECT true FROM repair_cases c WHERE c.id = repair_parts.repair_case));

-- The desk sees who of its own people has a case.
CREATE POLICY desk ON users FOR SELECT USING (
    roadstead_reach() = 'desk' AND home IS NULL AND role = 'customer_support');
