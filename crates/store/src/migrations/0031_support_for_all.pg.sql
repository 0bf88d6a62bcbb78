GRANT SELECT, INSERT, UPDATE, DELETE ON support_response_hours TO roadstead_app;
ALTER TABLE support_response_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE support_response_hours FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON support_response_hours USING (roadstead_reach() = 'platform');
CREATE POLICY own ON support_cases FOR SELECT USING (
    roadstead_reach() IN ('customer', 'reporter') AND home = roadstead_home());
CREATE POLICY own ON support_messages FOR SELECT USING (
    roadstead_reach() IN ('customer', 'reporter')
    AND (SELECT true FROM support_cases c WHERE c.id = support_messages.support_case));
CREATE POLICY own ON support_serials FOR SELECT USING (
    roadstead_reach() IN ('customer', 'reporter')
    AND (SELECT true FROM support_cases c WHERE c.id = support_serials.support_case));
