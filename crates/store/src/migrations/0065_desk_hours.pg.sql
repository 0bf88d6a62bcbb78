GRANT SELECT, INSERT, UPDATE, DELETE ON desk_hours TO roadstead_app;
ALTER TABLE desk_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk_hours FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON desk_hours USING ((SELECT roadstead_reach()) = 'platform');
-- A desk: its own.
CREATE POLICY desk ON desk_hours FOR SELECT USING (CASE (SELECT roadstead_reach())
    WHEN 'desk' THEN desk = 'customer_support'
    WHEN 'partner' THEN partner = (SELECT roadstead_home()) END);
