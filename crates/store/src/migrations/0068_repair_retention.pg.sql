GRANT SELECT, INSERT, UPDATE, DELETE ON spent_references TO roadstead_app;
ALTER TABLE spent_references ENABLE ROW LEVEL SECURITY;
ALTER TABLE spent_references FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON spent_references USING ((SELECT roadstead_reach()) = 'platform');
