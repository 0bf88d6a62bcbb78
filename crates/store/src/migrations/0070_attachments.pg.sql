GRANT SELECT, INSERT, UPDATE, DELETE ON support_attachments, support_attachment_pieces TO roadstead_app;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['support_attachments', 'support_attachment_pieces'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING (roadstead_reach() = 'platform')$p$, t);
    END LOOP;
END
$$;
CREATE POLICY own ON support_attachments FOR SELECT USING (
    roadstead_reach() IN ('partner', 'customer', 'reporter')
    AND (SELECT true FROM support_cases c WHERE c.id = support_attachments.support_case));
CREATE POLICY own ON support_attachment_pieces FOR SELECT USING (
    roadstead_reach() IN ('partner', 'customer', 'reporter')
    AND (SELECT true FROM support_attachments a WHERE a.id = support_attachment_pieces.attachment));
