GRANT SELECT, INSERT, UPDATE, DELETE ON support_cases, support_messages, support_serials TO roadstead_app;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['support_cases', 'support_messages', 'support_serials'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING (roadstead_reach() = 'platform')$p$, t);
    END LOOP;
END
$$;
CREATE POLICY partner ON support_cases FOR SELECT USING (
    roadstead_reach() = 'partner' AND home = roadstead_home());
CREATE POLICY partner ON support_messages FOR SELECT USING (
    roadstead_reach() = 'partner' AND (SELECT true FROM support_cases c WHERE c.id = support_messages.support_case));
CREATE POLICY partner ON support_serials FOR SELECT USING (
    roadstead_reach() = 'partner' AND (SELECT true FROM support_cases c WHERE c.id = support_serials.support_case));
