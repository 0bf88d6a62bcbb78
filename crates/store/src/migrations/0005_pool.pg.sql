GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO roadstead_app;
ALTER TABLE saved_views ENABLE ROW LEVEL SECURITY;
ALTER TABLE saved_views FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON saved_views USING (roadstead_reach() = 'platform');
CREATE POLICY partner ON saved_views USING (
    roadstead_reach() = 'partner' AND partner = roadstead_home());

GRANT SELECT, INSERT, UPDATE, DELETE ON own_headers TO roadstead_app;
ALTER TABLE own_headers ENABLE ROW LEVEL SECURITY;
ALTER TABLE own_headers FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON own_headers USING (roadstead_reach() = 'platform');
CREATE POLICY reporter ON own_headers USING (
    roadstead_reach() = 'reporter' AND reporter = roadstead_home());
