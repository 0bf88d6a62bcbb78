GRANT SELECT, INSERT, UPDATE, DELETE ON report_acknowledgements TO roadstead_app;
ALTER TABLE report_acknowledgements ENABLE ROW LEVEL SECURITY;
ALTER TABLE report_acknowledgements FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON report_acknowledgements USING ((SELECT roadstead_reach()) = 'platform');
-- A reporter: those of what it handed in.
CREATE POLICY reporter_reads ON report_acknowledgements FOR SELECT USING (
    (SELECT roadstead_reach()) = 'reporter'
    AND EXISTS (SELECT FROM reports r WHERE r.id = report_acknowledgements.report));
CREATE POLICY reporter_adds ON report_acknowledgements FOR INSERT WITH CHECK (
    (SELECT roadstead_reach()) = 'reporter'
    AND EXISTS (SELECT FROM reports r WHERE r.id = report_acknowledgements.report));
