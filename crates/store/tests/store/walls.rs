//! Whom a row is shown to: row level security, and the roles that it knows.

use super::*;

/// The application's own predicate is taken away here: only the engine stands between the neighbour and the rows.
#[tokio::test]
async fn row_level_security_alone_shows_a_neighbour_nothing() {
    let world = World::new(Postgres, "rls").await;
    let (a, b) = (world.partner("A").await, world.partner("B").await);
    world.apply(&[arrival(world.ambient.id(), "5CG1234ABC", a)]).await.unwrap();
    let everything: &[(&'static str, i64, i64)] = &[
        ("SELECT COUNT(*) FROM tenants", 4, 2),
        ("SELECT COUNT(*) FROM partners", 2, 1),
        ("SELECT COUNT(*) FROM devices", 1, 0),
        ("SELECT COUNT(*) FROM placements", 1, 0),
        ("SELECT COUNT(*) FROM placement_log", 1, 0),
        ("SELECT COUNT(*) FROM placement_log_heads", 1, 0),
        ("SELECT COUNT(*) FROM tenant_counts", 1, 0),
        // The views have a wall of their own, and are for partners only.
        ("SELECT COUNT(*) FROM own_tenants", 0, 1),
        ("SELECT COUNT(*) FROM own_pool", 0, 0),
        ("SELECT COUNT(*) FROM own_devices", 0, 0),
        ("SELECT COUNT(*) FROM own_rights", 0, 0),
        ("SELECT COUNT(*) FROM own_places", 0, 0),
        ("SELECT COUNT(*) FROM own_placements", 0, 0),
        ("SELECT COUNT(*) FROM own_partner", 0, 1),
        ("SELECT COUNT(*) FROM own_shares", 0, 0),
    ];
    let mut platform = world.store.read(&world.system).await.unwrap();
    let mut neighbour = world.store.write(&partner_scope(b)).await.unwrap();
    for (sql, all, own) in everything {
        assert_eq!(platform.number(sql, vec![]).await.unwrap(), *all, "{sql}");
        assert_eq!(neighbour.number(sql, vec![]).await.unwrap(), *own, "{sql}");
    }
    let mut owner = world.store.read(&partner_scope(a)).await.unwrap();
    let own = owner.number("SELECT COUNT(*) FROM own_devices WHERE serial = '5CG1234ABC'", vec![]).await;
    assert_eq!(own.unwrap(), 1);
    assert_eq!(owner.number("SELECT COUNT(*) FROM own_places", vec![]).await.unwrap(), 1);
    assert_eq!(owner.number("SELECT COUNT(*) FROM own_placements", vec![]).await.unwrap(), 1);
    assert_eq!(owner.number("SELECT COUNT(*) FROM own_pool", vec![]).await.unwrap(), 1);
    drop(owner);
    assert!(neighbour.execute("DELETE FROM own_tenants", vec![]).await.is_err(), "they are for reading");
    drop(neighbour);
    let mut neighbour = world.store.write(&partner_scope(b)).await.unwrap();
    let taken = neighbour.execute("UPDATE placements SET tenant = NULL", vec![]).await.unwrap();
    assert_eq!(taken, 0, "nor can it be changed");
    assert!(neighbour.execute("ALTER TABLE placements DISABLE ROW LEVEL SECURITY", vec![]).await.is_err());
}

/// Questions of many go down one connection: each is answered for whoever asks, whoever asked before. With every
/// connection of the pool taken, they are answered all the same.
#[tokio::test]
async fn quick_answers_share_connections_and_nothing_else() {
    let world = World::new(Postgres, "pipes").await;
    let partners = [world.partner("A").await, world.partner("B").await, world.partner("C").await];
    for (number, partner) in partners.into_iter().enumerate() {
        world.apply(&[arrival(world.ambient.id(), &format!("5CG000{number}AB"), partner)]).await.unwrap();
    }
    let mut taken = Vec::new();
    for _ in 0..16 {
        taken.push(world.store.write(&world.system).await.unwrap());
    }
    let asks = (0..300).map(|number| {
        let (store, system, partners) = (world.store.clone(), world.system, partners);
        async move {
            let sql = "SELECT serial FROM placements WHERE serial > $1 ORDER BY serial";
            let scope = partners.get(number % 4).map_or(system, |partner| partner_scope(*partner));
            let mut tx = store.read(&scope).await.unwrap();
            let rows: Vec<(String,)> = tx.all_quick(sql, roadstead_store::args!["5"]).await.unwrap();
            let seen: Vec<&str> = rows.iter().map(|(serial,)| serial.as_str()).collect();
            match number % 4 {
                3 => assert_eq!(seen, ["5CG0000AB", "5CG0001AB", "5CG0002AB"]),
                own => assert_eq!(seen, [format!("5CG000{own}AB")]),
            }
        }
    });
    futures_util::future::join_all(asks).await;
    let mut tx = world.store.read(&partner_scope(partners[0])).await.unwrap();
    let nothing: Vec<(i64,)> = tx
        .all_quick("UPDATE tenant_counts SET devices = 0 RETURNING devices", vec![])
        .await
        .unwrap_or_default();
    assert!(nothing.is_empty(), "{nothing:?}");
}

/// No table is forgotten: each has its wall, and the application owns none.
#[tokio::test]
async fn every_table_has_row_level_security_forced() {
    let world = World::new(Postgres, "rlsall").await;
    let mut tx = world.store.read(&world.system).await.unwrap();
    let open: Vec<(String,)> = tx
        .all(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_versions' \
             AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND c.relowner <> 'roadstead_app'::regrole)",
            vec![],
        )
        .await
        .unwrap();
    assert!(open.is_empty(), "{open:?}");
    let who: Vec<(String, bool)> = tx
        .all(
            "SELECT rolname::text, rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user",
            vec![],
        )
        .await
        .unwrap();
    assert_eq!(who, [("roadstead_platform".to_owned(), false)]);
}

/// The platform sees every row by its role, which costs a statement nothing (docs/decisions/0057); whoever is not the
/// platform is another role.
#[tokio::test]
async fn the_platform_walks_through_no_wall_and_others_are_not_that_role() {
    let world = World::new(Postgres, "platform_role").await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    let without: Vec<(String,)> = tx
        .all(
            "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity \
             AND NOT c.relispartition AND NOT EXISTS (SELECT FROM pg_policies p WHERE p.tablename = c.relname \
             AND p.roles = '{roadstead_platform}' AND p.cmd = 'ALL' AND p.qual = 'true')",
            vec![],
        )
        .await
        .unwrap();
    assert!(without.is_empty(), "{without:?}");
    let sql = "EXPLAIN (COSTS OFF) SELECT a.id FROM <set> s CROSS JOIN placements p CROSS JOIN alerts a \
               CROSS JOIN pop_ups u CROSS JOIN tenants t WHERE p.device = s.value AND a.device = p.device \
               AND u.alert = a.id AND t.id = p.tenant";
    let plan: Vec<(String,)> = tx.all_of_ids(sql, vec![], &[uuid::Uuid::nil()]).await.unwrap();
    let walls = |plan: &[(String,)]| {
        plan.iter().any(|(line,)| line.contains("SubPlan") || line.contains("roadstead.reach"))
    };
    assert!(!walls(&plan), "{plan:#?}");
    // In the midst of a transaction, too.
    let partner = partner_scope(world.partner("R-1").await);
    let who = "SELECT current_user::text";
    let mut seen = Vec::new();
    for scope in [&partner, &world.system] {
        tx.act_for(scope).await.unwrap();
        seen.extend(tx.all::<(String,)>(who, vec![]).await.unwrap());
        if seen.len() == 1 {
            let plan: Vec<(String,)> = tx.all_of_ids(sql, vec![], &[uuid::Uuid::nil()]).await.unwrap();
            assert!(walls(&plan), "{plan:#?}");
        }
    }
    let mut quick = world.store.read(&world.system).await.unwrap();
    seen.extend(quick.all_quick::<(String,)>(who, vec![]).await.unwrap());
    let mut quick = world.store.read(&partner).await.unwrap();
    seen.extend(quick.all_quick::<(String,)>(who, vec![]).await.unwrap());
    let seen: Vec<&str> = seen.iter().map(|(who,)| who.as_str()).collect();
    assert_eq!(seen, ["roadstead_app", "roadstead_platform", "roadstead_platform", "roadstead_app"]);
}
