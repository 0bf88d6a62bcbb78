DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['outside_desks', 'forwarded_cases', 'outside_calls'] LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO roadstead_app', t);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING ((SELECT roadstead_reach()) = 'platform')$p$, t);
    END LOOP;
END
$$;
-- A partner: its own, and what was told to it.
CREATE POLICY partner ON outside_desks FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND partner = (SELECT roadstead_home()));
CREATE POLICY partner ON forwarded_cases FOR SELECT USING (
    (SELECT roadstead_reach()) = 'partner' AND outside_desk IN (SELECT id FROM outside_desks));
