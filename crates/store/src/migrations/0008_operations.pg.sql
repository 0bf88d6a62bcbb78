-- The two tables that grow with every line and every move are partitioned; docs/operating.md says how and why.

-- The first identifier (UUIDv7) of an instant: what is older compares less.
CREATE FUNCTION roadstead_first_id(at timestamptz) RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;

-- Makes an empty, partitioned table in the place of one that is there, with its columns, constraints and policies; the old
-- one is then called t_old. Its indexes follow when the rows are in: they are returned.
CREATE FUNCTION roadstead_begin_partitions(t text, partition_by text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    later text[];
    policies text[];
    statement text;
BEGIN
    SELECT array_agg(format('ALTER TABLE %I ADD CONSTRAINT %I %s', t, conname, pg_get_constraintdef(oid)))
        INTO later FROM pg_constraint WHERE conrelid = t::regclass AND contype IN ('p', 'u', 'f');
    later := later || COALESCE((SELECT array_agg(pg_get_indexdef(indexrelid)) FROM pg_index i
        WHERE indrelid = t::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)), '{}');
    SELECT array_agg(format('CREATE POLICY %I ON %I AS %s FOR %s', policyname, t, permissive, cmd)
            || COALESCE(' USING (' || qual || ')', '') || COALESCE(' WITH CHECK (' || with_check || ')', ''))
        INTO policies FROM pg_policies WHERE schemaname = 'public' AND tablename = t;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', t, t || '_old');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY %s',
        t, t || '_old', partition_by);
    FOREACH statement IN ARRAY policies LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO roadstead_app', t);
    RETURN later;
END
$$;

-- A partition that can only be reached through its table: without a policy of its own it shows nothing.
CREATE FUNCTION roadstead_add_partition(t text, partition text, bounds text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF %I %s', partition, t, bounds);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
    EXECUTE format('REVOKE ALL ON %I FROM roadstead_app', partition);
END
$$;

-- Moves the rows over and makes the indexes.
CREATE FUNCTION roadstead_end_partitions(t text, later text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    statement text;
BEGIN
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', t, t || '_old');
    EXECUTE format('DROP TABLE %I', t || '_old');
    FOREACH statement IN ARRAY later LOOP
        EXECUTE statement;
    END LOOP;
END
$$;

-- Makes the partitions of this year and the next that are not there yet; how many. As the tables' owner, which the
-- application is not.
CREATE FUNCTION roadstead_make_partitions(now_micros bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first_id uuid;
    last_id uuid;
    this_year int := extract(year FROM to_timestamp(now_micros / 1000000) AT TIME ZONE 'UTC');
    made bigint := 0;
BEGIN
    -- "part" in ASCII: one number for this one lock.
    PERFORM pg_advisory_xact_lock(1885434484);
    FOR y IN this_year .. this_year + 1 LOOP
        first_id := roadstead_first_id(make_timestamptz(y, 1, 1, 0, 0, 0, 'UTC'));
        last_id := roadstead_first_id(make_timestamptz(y + 1, 1, 1, 0, 0, 0, 'UTC'));
        -- Where rows of that year are in the partition for all others already, they stay there.
        CONTINUE WHEN to_regclass('report_lines_y' || y) IS NOT NULL
            OR EXISTS (SELECT FROM report_lines WHERE report >= first_id AND report < last_id);
        PERFORM roadstead_add_partition('report_lines', 'report_lines_y' || y,
            format('FOR VALUES FROM (%L) TO (%L)', first_id, last_id));
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

-- Drops the partitions whose every row is older than this; how many.
CREATE FUNCTION roadstead_drop_partitions(before_micros bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before_year int := extract(year FROM to_timestamp(before_micros / 1000000) AT TIME ZONE 'UTC');
    partition text;
    dropped bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(1885434484);
    FOR partition IN
        SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid
        WHERE inhparent = 'report_lines'::regclass AND relname ~ '^report_lines_y[0-9]{4}$'
            AND right(relname, 4)::int < before_year
    LOOP
        EXECUTE format('DROP TABLE %I', partition);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

DO $$
DECLARE
    later text[];
BEGIN
    -- The owner is bound by the policies, too.
    PERFORM set_config('roadstead.reach', 'platform', true);
    later := roadstead_begin_partitions('report_lines', 'RANGE (report)');
    -- What comes from before, and from clocks that are wrong.
    PERFORM roadstead_add_partition('report_lines', 'report_lines_other', 'DEFAULT');
    -- 2026 and 2027; later years are made ahead by the server.
    PERFORM roadstead_make_partitions(1780272000000000);
    PERFORM roadstead_end_partitions('report_lines', later);

    later := roadstead_begin_partitions('placement_log', 'HASH (partner)');
    FOR n IN 0 .. 7 LOOP
        PERFORM roadstead_add_partition('placement_log', 'placement_log_h' || n,
            format('FOR VALUES WITH (MODULUS 8, REMAINDER %s)', n));
    END LOOP;
    PERFORM roadstead_end_partitions('placement_log', later);
    PERFORM set_config('roadstead.reach', '', true);
END
$$;
DROP FUNCTION roadstead_begin_partitions(text, text);
DROP FUNCTION roadstead_end_partitions(text, text[]);
REVOKE ALL ON FUNCTION roadstead_add_partition(text, text, text), roadstead_make_partitions(bigint),
    roadstead_drop_partitions(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roadstead_make_partitions(bigint), roadstead_drop_partitions(bigint) TO roadstead_app;
