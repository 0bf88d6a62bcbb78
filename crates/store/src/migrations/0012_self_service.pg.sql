GRANT SELECT, INSERT, UPDATE, DELETE ON self_service TO roadstead_app;
ALTER TABLE self_service ENABLE ROW LEVEL SECURITY;
ALTER TABLE self_service FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON self_service USING (roadstead_reach() = 'platform');
CREATE POLICY partner ON self_service USING (
    roadstead_reach() = 'partner' AND (SELECT true FROM tenants t WHERE t.id = self_service.customer));
CREATE POLICY customer ON self_service FOR SELECT USING (
    roadstead_reach() = 'customer' AND customer = roadstead_home());
