DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['recall_lists', 'recall_ranges'] LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO roadstead_app', t);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING ((SELECT roadstead_reach()) = 'platform')$p$, t);
    END LOOP;
END
$$;
