GRANT SELECT, INSERT, UPDATE, DELETE ON dispute_decisions TO roadstead_app;
ALTER TABLE dispute_decisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE dispute_decisions FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON dispute_decisions USING (roadstead_reach() = 'platform');
