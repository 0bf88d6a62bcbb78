GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO roadstead_app;
ALTER TABLE saved_views ENABLE ROW LEVEL SECURITY;
ALTER TABLE saved_views FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON saved_views USING (roadstead_reach() = 'platform');
CREATE POLICY partner ON saved_views USING (
    roadstead_reach() = 'partner' AND partner = roadstead_home());
