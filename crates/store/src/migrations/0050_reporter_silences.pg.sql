GRANT SELECT, INSERT, UPDATE, DELETE ON reporter_silences TO roadstead_app;
ALTER TABLE reporter_silences ENABLE ROW LEVEL SECURITY;
ALTER TABLE reporter_silences FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON reporter_silences USING ((SELECT roadstead_reach()) = 'platform');
-- A reporter: its own.
CREATE POLICY reporter_reads ON reporter_silences FOR SELECT USING (
    (SELECT roadstead_reach()) = 'reporter' AND reporter = (SELECT roadstead_home()));
