-- What is done on behalf of the platform sees every row. As roadstead_app each of its statements carried the walls of all its
-- tables, and PostgreSQL prepared them for each run: half of what a batch of check-ins cost (docs/decisions/0057). A role of its
-- own sees all by a policy that says so, which leaves nothing of a wall in the plan. What it may do is what roadstead_app may.
DO $$
BEGIN
    CREATE ROLE roadstead_platform NOLOGIN IN ROLE roadstead_app;
EXCEPTION
    -- Roles belong to the whole cluster: another database, or another node at this moment, has made it. Whether this user may
    -- not make it matters only if it is not there.
    WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
END
$$;
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'roadstead_platform', 'MEMBER') THEN
        EXECUTE format('GRANT roadstead_platform TO %I', current_user);
    END IF;
EXCEPTION WHEN undefined_object OR insufficient_privilege THEN
    RAISE EXCEPTION 'the role roadstead_platform is needed and may not be made or granted by this user: run CREATE ROLE roadstead_platform NOLOGIN IN ROLE roadstead_app; GRANT roadstead_platform TO %', current_user;
END
$$;
DO $$
DECLARE
    t text;
BEGIN
    -- A partition is reached through its table, whose policies hold.
    FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity
        AND NOT relispartition ORDER BY relname
    LOOP
        EXECUTE format('CREATE POLICY whole ON %I TO roadstead_platform USING (true)', t);
    END LOOP;
END
$$;
