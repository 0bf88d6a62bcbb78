//! What check-ins read, and in which order rows are held.

use roadstead_store::args;
use roadstead_store::check_ins::{self, Said};
use roadstead_store::device_keys::Once;

use super::*;

/// Whoever takes these rows in another order than check-ins do waits for one who waits for them.
#[tokio::test]
async fn what_was_judged_is_let_go_in_the_order_in_which_check_ins_are_written() {
    let world = World::new(Postgres, "judged_in_order").await;
    let mut devices: Vec<DeviceId> = (0..12).map(|_| world.ambient.id()).collect();
    let now = world.ambient.now();
    let mut tx = world.store.write(&world.system).await.unwrap();
    for device in &devices {
        let sql = "INSERT INTO check_ins_to_judge (device, seen_at) VALUES ($1, $2)";
        tx.execute(sql, args![*device, now]).await.unwrap();
    }
    tx.commit().await.unwrap();
    devices.sort_unstable();
    let mut meanwhile = world.store.write(&world.system).await.unwrap();
    let first = "UPDATE check_ins_to_judge SET seen_at = seen_at WHERE device = $1";
    meanwhile.execute(first, args![devices[0]]).await.unwrap();
    let (store, system) = (world.store.clone(), world.system);
    let judged: Vec<_> = devices.iter().rev().map(|device| (*device, now)).collect();
    let judge = tokio::spawn(async move {
        let mut tx = store.write(&system).await.unwrap();
        check_ins::judged(&mut tx, &system, &judged).await.unwrap();
        tx.commit().await.unwrap();
    });
    let waiting = "SELECT COUNT(*) FROM pg_locks w JOIN pg_stat_activity a ON a.pid = w.pid WHERE NOT w.granted \
                   AND w.locktype = 'transactionid' AND a.datname = current_database()";
    // What others do is looked up once in a transaction.
    let waits = async || {
        let mut tx = world.store.read(&world.system).await.unwrap();
        tx.number(waiting, vec![]).await.unwrap() > 0
    };
    while !waits().await {
        assert!(!judge.is_finished());
    }
    let mut tx = world.store.write(&world.system).await.unwrap();
    let free = "SELECT device FROM check_ins_to_judge FOR UPDATE SKIP LOCKED";
    let free: Vec<(uuid::Uuid,)> = tx.all(free, vec![]).await.unwrap();
    drop(tx);
    meanwhile.commit().await.unwrap();
    judge.await.unwrap();
    assert_eq!(free.len(), devices.len() - 1, "it waited for the first one and held none of the others");
    let mut tx = world.store.read(&world.system).await.unwrap();
    assert_eq!(tx.number("SELECT COUNT(*) FROM check_ins_to_judge", vec![]).await.unwrap(), 0);
}

/// By the rows that PostgreSQL counts: what a check-in costs is not to grow with the alerts of others.
#[tokio::test]
async fn a_check_in_reads_no_alert_of_another_pc() {
    let world = World::new(Postgres, "alerts_of_others").await;
    let place = world.partner("R-1").await;
    let moves: Vec<Cause> =
        (0..60).map(|n| arrival(world.ambient.id(), &format!("5CG{n:07}"), place)).collect();
    world.apply(&moves).await.unwrap();
    let mut tx = world.store.write(&world.system).await.unwrap();
    for sql in [
        "INSERT INTO device_keys (public_key, device, proof, generation, enrolled_at) \
         SELECT serial, id, 'serial', 1, 1 FROM devices",
        "INSERT INTO alerts (id, device, tenant, kind, cause, severity, source, detail, state, seen, gone, opened_at) \
         SELECT gen_random_uuid(), d.id, p.tenant, 'disk.failing', n::text, 'warning', 'agent', '{}', 'open', 1, 0, 1 \
         FROM devices d JOIN placements p ON p.device = d.id CROSS JOIN generate_series(1, 8) n \
         WHERE d.serial >= '5CG0000030'",
    ] {
        tx.execute(sql, vec![]).await.unwrap();
    }
    tx.commit().await.unwrap();
    roadstead_store::engine::run_text(&world.store, "ANALYZE").await.unwrap();
    let keys: Vec<String> = (0..30).map(|n| format!("5CG{n:07}")).collect();
    for time in 0..3_i64 {
        let once = |key: &str| {
            let mut bytes = [0; 32];
            bytes[..key.len()].copy_from_slice(key.as_bytes());
            Once::new(&bytes, time, &time.to_string())
        };
        let said = keys.iter().map(|key| Said {
            key,
            once: once(key),
            agent: "",
            readings: "{}",
            user: None,
            location: None,
            is_ill: false,
        });
        let said: Vec<Said<'_>> = said.collect();
        let told = check_ins::take(&world.store, &world.system, &said, Micros(time)).await.unwrap();
        assert!(told.len() == 30 && told.values().all(|speaking| !speaking.has_alerts));
    }
    // PostgreSQL adds up what a connection has done when that has been idle for a moment.
    let counted = "SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE relname = 'check_ins'";
    let read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'alerts'";
    let number = async |sql| {
        let mut tx = world.store.write(&world.system).await.unwrap();
        tx.number(sql, vec![]).await.unwrap()
    };
    while number(counted).await < 90 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(number(read).await, 0, "alerts of other PCs");
}

/// The same check-in at two nodes at once, also as the first one of its PC: one of them takes it.
#[tokio::test]
async fn of_two_who_bring_the_same_check_in_one_takes_it() {
    let world = World::new(Postgres, "same_check_in").await;
    let place = world.partner("R-1").await;
    world.apply(&[arrival(world.ambient.id(), "5CG0000000", place)]).await.unwrap();
    let key = "INSERT INTO device_keys (public_key, device, proof, generation, enrolled_at) \
               SELECT serial, id, 'serial', 1, 1 FROM devices";
    let mut tx = world.store.write(&world.system).await.unwrap();
    tx.execute(key, vec![]).await.unwrap();
    tx.commit().await.unwrap();
    for second in 1..=40_i64 {
        let said = |nonce: &str| Said {
            key: "5CG0000000",
            once: Once::new(&[1; 32], second / 2, nonce),
            agent: "",
            readings: "{}",
            user: None,
            location: None,
            is_ill: true,
        };
        let nonce = second.to_string();
        let (one, other) = ([said(&nonce)], [said(&nonce)]);
        let at = Micros(second * 1_000_000);
        let (one, other) = tokio::join!(
            check_ins::take(&world.store, &world.system, &one, at),
            check_ins::take(&world.store, &world.system, &other, at)
        );
        let (taken, refused) = if one.is_ok() { (one, other) } else { (other, one) };
        assert_eq!(taken.unwrap().len(), 1, "{second}");
        let refused = refused.unwrap_err();
        assert!(
            matches!(&refused, Error::Conflict(name) if name == check_ins::NONCES),
            "{second}: {refused}"
        );
    }
    // A clock that is set back leaves the last one to be judged, not the latest.
    let said = Said {
        key: "5CG0000000",
        once: Once::new(&[1; 32], 21, "later"),
        agent: "",
        readings: "{}",
        user: None,
        location: None,
        is_ill: true,
    };
    check_ins::take(&world.store, &world.system, &[said], Micros(5)).await.unwrap();
    let mut tx = world.store.read(&world.system).await.unwrap();
    assert_eq!(tx.number("SELECT seen_at FROM check_ins_to_judge", vec![]).await.unwrap(), 5);
}
