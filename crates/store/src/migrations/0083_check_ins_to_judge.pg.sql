GRANT SELECT, INSERT, UPDATE, DELETE ON check_ins_to_judge TO roadstead_app;
ALTER TABLE check_ins_to_judge ENABLE ROW LEVEL SECURITY;
ALTER TABLE check_ins_to_judge FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON check_ins_to_judge USING (roadstead_reach() = 'platform');
CREATE POLICY whole ON check_ins_to_judge TO roadstead_platform USING (true);
-- A row is written anew at each check-in; with room left on its page no index has to be.
ALTER TABLE check_ins SET (fillfactor = 70);
