DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['mails', 'throttles', 'invitations', 'password_resets'] LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO roadstead_app', t);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format($p$CREATE POLICY platform ON %I USING (roadstead_reach() = 'platform')$p$, t);
    END LOOP;
END
$$;

-- Anybody may have a mail written for their home; only the platform reads them, since they hold secrets until they are
-- sent. Throttles belong to the platform alone.
CREATE POLICY home ON mails FOR INSERT WITH CHECK (home = roadstead_home());

-- A home's own people, with their sessions.
CREATE POLICY home ON users USING (
    roadstead_reach() IN ('reporter', 'partner', 'customer') AND home = roadstead_home());
-- Its log names the tokens that acted.
CREATE POLICY home ON tokens FOR SELECT USING (
    roadstead_reach() IN ('reporter', 'partner', 'customer') AND home = roadstead_home());
CREATE POLICY home ON sessions USING ((SELECT true FROM users u WHERE u.id = sessions.user_id));
CREATE POLICY home ON password_resets USING ((SELECT true FROM users u WHERE u.id = password_resets.user_id));
CREATE POLICY home ON invitations USING (
    roadstead_reach() IN ('reporter', 'partner', 'customer') AND home = roadstead_home());
