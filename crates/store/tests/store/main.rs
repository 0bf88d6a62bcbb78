//! The store on both engines. Run by `make test`, which starts PostgreSQL.
#![allow(clippy::unwrap_used)]

mod check_ins;
mod jobs;
mod plans;
mod walls;

use jiff::civil::date;
use roadstead_domain::access::{self, Action, Actor, Caller, Home, Role, Scope, authorize};
use roadstead_domain::clock::{Ambient, Micros, first_id_at};
use roadstead_domain::event::Event;
use roadstead_domain::ids::{DeviceId, OperationId, QualificationId, ReportId, TenantId};
use roadstead_domain::partner::{PartnerRole, Qualification, SupportLevel};
use roadstead_domain::placement::{Move, Place};
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::page::Page;
use roadstead_store::partners::Holding;
use roadstead_store::placements::{Cause, Why};
use roadstead_store::pool::{Reporters, Sort};
use roadstead_store::{
    Error, Store, Tx, cpins, dead_jobs, enrolments, lines, operations, outbox, partners, placements, pool,
    pool_page, serials, testing,
};
use rstest::rstest;
use tempfile::TempDir;

struct World {
    store: Store,
    ambient: Ambient,
    system: Scope,
    _directory: TempDir,
}

impl World {
    async fn new(kind: Kind, name: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let store = testing::fresh(kind, directory.path(), name).await.unwrap();
        Self { store, ambient: testing::ambient().0, system: access::system(), _directory: directory }
    }

    /// A certified partner with its pool.
    async fn partner(&self, number: &str) -> Place {
        let partner: TenantId = self.ambient.id();
        let mut tx = self.store.write(&self.system).await.unwrap();
        let now = self.ambient.now();
        partners::create(&mut tx, &self.system, partner, number, number, now).await.unwrap();
        let tenant = self.ambient.id();
        let made = partners::ensure_holding(&mut tx, &self.system, partner, tenant, now).await.unwrap();
        assert_eq!(made, Some(Holding { tenant, is_new: true }));
        tx.commit().await.unwrap();
        Place { tenant, partner }
    }

    async fn apply(&self, moves: &[Cause]) -> Result<(), Error> {
        let mut tx = self.store.write(&self.system).await?;
        self.apply_in(&mut tx, moves).await?;
        tx.commit().await
    }

    async fn apply_in(&self, tx: &mut Tx, moves: &[Cause]) -> Result<(), Error> {
        tx.lock_placements().await?;
        let keys: Vec<(DeviceId, serials::Key)> = moves
            .iter()
            .filter(|cause| cause.moved.generation == 0)
            .map(|cause| (cause.moved.device, (cause.moved.serial.clone(), String::new())))
            .collect();
        let new: Vec<serials::NewDevice<'_>> = keys
            .iter()
            .map(|(id, key)| serials::NewDevice {
                id: *id,
                key,
                product_number: "6T1A2EA",
                model: "Notebook 14",
            })
            .collect();
        serials::add_devices(tx, &self.system, &new, self.ambient.now()).await?;
        placements::apply(tx, &self.system, moves, self.ambient.now()).await
    }
}

fn arrival(device: DeviceId, serial: &str, to: Place) -> Cause {
    Cause {
        moved: Move { device, serial: serial.to_owned(), generation: 0, from: None, to: Some(to) },
        why: Why::Line {
            report: ReportId(uuid::Uuid::from_u128(1)),
            line: 1,
            search: pool::search_text(&[serial, "Notebook 14", "Café Zürich"]),
        },
    }
}

fn partner_scope(place: Place) -> Scope {
    let caller =
        Caller { actor: Actor::System, role: Role::PartnerAdmin, home: Home::Partner(place.partner) };
    authorize(&caller, Action::ReadUnassigned).unwrap()
}

#[rstest]
#[tokio::test]
async fn a_partner_has_one_holding_tenant(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("one_holding_{kind:?}")).await;
    let place = world.partner("R-1").await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    let again = world.ambient.id();
    let now = world.ambient.now();
    let there = partners::ensure_holding(&mut tx, &world.system, place.partner, again, now).await.unwrap();
    assert_eq!(
        there,
        Some(Holding { tenant: place.tenant, is_new: false }),
        "the one that is there, not the one offered"
    );
    let nobody = world.ambient.id();
    assert_eq!(partners::ensure_holding(&mut tx, &world.system, nobody, again, now).await.unwrap(), None);
    let found = partners::find(&mut tx, &world.system, " r-1 ").await.unwrap().unwrap();
    assert_eq!(found.holding, Some(place.tenant.0));
    let taken = partners::create(&mut tx, &world.system, nobody, "r-1", "Other", now).await;
    assert!(matches!(taken, Err(Error::Conflict(_))), "{taken:?}");
}

#[rstest]
#[tokio::test]
async fn a_renewal_changes_the_qualification_of_its_level_and_role(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("renewal_{kind:?}")).await;
    let place = world.partner("R-1").await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    let mut qualification = Qualification {
        support_level: SupportLevel::Premium,
        role: PartnerRole::ServiceDelivery,
        course_completed_on: Some(date(2025, 1, 1)),
        certified_on: Some(date(2025, 1, 1)),
        expires_on: Some(date(2026, 1, 1)),
    };
    let (first, second): (QualificationId, QualificationId) = (world.ambient.id(), world.ambient.id());
    let now = world.ambient.now();
    let record = async |tx: &mut _, id, q: &Qualification| {
        partners::record_qualification(tx, &world.system, id, place.partner, q, now).await.unwrap()
    };
    record(&mut tx, first, &qualification).await;
    let today = date(2026, 11, 22);
    let sellers = partners::sellers(&mut tx, &world.system, &["R-1", "R-2"], today).await.unwrap();
    assert!(!sellers.sellers["R-1"].qualified);
    assert_eq!(sellers.holdings[&place.partner], place.tenant);
    assert!(!sellers.sellers.contains_key("R-2"));
    qualification.expires_on = Some(date(2027, 1, 1));
    assert_eq!(record(&mut tx, second, &qualification).await, first);
    let sellers = partners::sellers(&mut tx, &world.system, &["R-1"], today).await.unwrap();
    assert!(sellers.sellers["R-1"].qualified);
}

#[rstest]
#[tokio::test]
async fn placements_are_written_by_generation(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("generation_{kind:?}")).await;
    let (a, b) = (world.partner("A").await, world.partner("B").await);
    let device: DeviceId = world.ambient.id();
    world.apply(&[arrival(device, "5CG1234ABC", a)]).await.unwrap();
    let moved = |generation, from, to| Cause {
        moved: Move { device, serial: "5CG1234ABC".to_owned(), generation, from, to },
        ..arrival(device, "5CG1234ABC", a)
    };
    world.apply(&[moved(1, Some(a), None), moved(2, None, Some(b))]).await.unwrap();
    let stale = world.apply(&[moved(1, Some(a), Some(b))]).await;
    assert!(matches!(stale, Err(Error::Stale(_))), "{stale:?}");
    let again = world.apply(&[arrival(device, "5CG1234ABC", a)]).await;
    assert!(again.is_err(), "a PC does not arrive twice");

    let mut tx = world.store.read(&world.system).await.unwrap();
    let known = serials::load(&mut tx, &world.system, &["5CG1234ABC"], None).await.unwrap();
    let known = &known[&("5CG1234ABC".to_owned(), String::new())];
    assert_eq!((known.generation, known.place), (3, Some(b)));
    for (place, expected) in [(a, 0), (b, 1)] {
        let scope = partner_scope(place);
        let mut own = world.store.read(&scope).await.unwrap();
        assert_eq!(pool_page::beside(&mut own, &scope, true).await.unwrap().devices, expected);
    }
    for (place, entries) in [(a, 2), (b, 1)] {
        let chain = placements::verify_chain(&mut tx, &world.system, place.partner).await.unwrap();
        assert_eq!(chain, Ok(entries));
    }
}

#[rstest]
#[tokio::test]
async fn a_chain_ends_with_the_entry_of_its_head(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("chain_head_{kind:?}")).await;
    let a = world.partner("A").await;
    for serial in ["5CG0000001", "5CG0000002"] {
        world.apply(&[arrival(world.ambient.id(), serial, a)]).await.unwrap();
    }
    let mut tx = world.store.write(&world.system).await.unwrap();
    for (change, walked) in [
        ("UPDATE placement_log_heads SET seq = 3", Err(3)),
        ("UPDATE placement_log_heads SET seq = 2", Ok(2)),
        (
            "UPDATE placement_log_heads SET seq = 1, \
             hash = (SELECT l.hash FROM placement_log l WHERE l.seq = 1)",
            Err(2),
        ),
        ("DELETE FROM placement_log WHERE seq = 2", Ok(1)),
        ("DELETE FROM placement_log_heads", Err(1)),
        ("DELETE FROM placement_log", Ok(0)),
    ] {
        assert_eq!(tx.execute(change, vec![]).await.unwrap(), 1, "{change}");
        let found = placements::verify_chain(&mut tx, &world.system, a.partner).await.unwrap();
        assert_eq!(found, walked, "{change}");
    }
}

/// A locked table makes the walk wait before its first look into it. SQLite has no such lock.
#[tokio::test]
async fn an_entry_that_is_written_while_its_chain_is_walked_is_no_false_alarm() {
    for (name, lock, entries) in [
        ("walk_to_head", "LOCK TABLE ONLY placement_log_heads IN ACCESS EXCLUSIVE MODE", 2),
        ("walk_to_log", "LOCK TABLE ONLY placement_log IN ACCESS EXCLUSIVE MODE", 1),
    ] {
        let world = World::new(Postgres, name).await;
        let a = world.partner("A").await;
        world.apply(&[arrival(world.ambient.id(), "5CG0000001", a)]).await.unwrap();
        let mut meanwhile = world.store.write(&world.system).await.unwrap();
        meanwhile.execute(lock, vec![]).await.unwrap();
        let (store, system) = (world.store.clone(), world.system);
        let walk = tokio::spawn(async move {
            let mut tx = store.read(&system).await.unwrap();
            placements::verify_chain(&mut tx, &system, a.partner).await.unwrap()
        });
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation' \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let mut tx = world.store.read(&world.system).await.unwrap();
        while tx.number(waiting, vec![]).await.unwrap() == 0 {
            assert!(!walk.is_finished(), "{lock}");
        }
        drop(tx);
        world.apply_in(&mut meanwhile, &[arrival(world.ambient.id(), "5CG0000002", a)]).await.unwrap();
        meanwhile.commit().await.unwrap();
        assert_eq!(walk.await.unwrap(), Ok(entries), "{lock}");
    }
}

#[rstest]
#[tokio::test]
async fn a_pool_is_listed_in_byte_order_page_by_page(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("pages_{kind:?}")).await;
    let (a, b) = (world.partner("A").await, world.partner("B").await);
    let mut serials: Vec<String> =
        (0..25).map(|n| format!("{}{n:03}-X/{}", ["5CG", "MXL", "A.B"][n % 3], n)).collect();
    let moves: Vec<Cause> = serials.iter().map(|serial| arrival(world.ambient.id(), serial, a)).collect();
    world.apply(&moves).await.unwrap();
    world.apply(&[arrival(world.ambient.id(), "5CG999B", b)]).await.unwrap();

    let scope = partner_scope(a);
    let mut own = world.store.read(&scope).await.unwrap();
    let today = date(2026, 11, 22);
    for sort in [Sort::Serial, Sort::Newest] {
        let (mut walked, mut cursor) = (Vec::new(), None);
        loop {
            let page = Page { limit: Some(4), cursor };
            let rows =
                pool::list(&mut own, &scope, sort, &page, today, Reporters::ByName).await.unwrap().unwrap();
            walked.extend(rows.items.into_iter().map(|item| item.serial));
            cursor = rows.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        if sort == Sort::Newest {
            walked.sort();
        }
        serials.sort();
        assert_eq!(walked, serials, "{sort:?}");
    }
    let mut tx = world.store.read(&world.system).await.unwrap();
    let two = ["5CG999B", serials[3].as_str()];
    let found = pool::with_serials(&mut tx, &scope, &two, today).await.unwrap();
    let found: Vec<&str> = found.iter().map(|pc| pc.serial.as_str()).collect();
    assert_eq!(found, [serials[3].as_str()], "another partner's PC is not found");

    // What a view holds: all of it page by page, and what the log says became of it since.
    let scope_b = partner_scope(b);
    let first = pool::entries(&mut tx, &scope, ("", uuid::Uuid::nil()), 20).await.unwrap();
    let last = first.last().unwrap();
    let rest = pool::entries(&mut tx, &scope, (&last.serial, last.id), 20).await.unwrap();
    assert_eq!(first.iter().chain(&rest).map(|entry| entry.serial.clone()).collect::<Vec<_>>(), serials);
    let (seq, _) = pool::state(&mut tx, &scope).await.unwrap();
    assert_eq!((seq, pool::state(&mut tx, &scope_b).await.unwrap().0), (25, 1));
    drop(tx);
    let leaving = &first[0];
    let step = Move {
        device: leaving.id.into(),
        serial: leaving.serial.clone(),
        generation: 1,
        from: Some(a),
        to: Some(b),
    };
    world.apply(&[Cause { moved: step, ..moves[0].clone() }]).await.unwrap();
    let mut tx = world.store.read(&world.system).await.unwrap();
    for (scope, from, stays) in [(scope, 25, false), (scope_b, 1, true)] {
        let (to, _) = pool::state(&mut tx, &scope).await.unwrap();
        let moved = pool::moved(&mut tx, &scope, from, to).await.unwrap();
        let seen: Vec<_> =
            moved.iter().map(|entry| (entry.serial.as_str(), entry.search.is_some())).collect();
        assert_eq!(seen, [(leaving.serial.as_str(), stays)]);
    }
}

#[rstest]
#[tokio::test]
async fn what_is_not_committed_did_not_happen(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("rollback_{kind:?}")).await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    let event = Event::ReportedLinesChanged { report: world.ambient.id() };
    outbox::publish(&mut tx, &[(None, event.clone())], world.ambient.now()).await.unwrap();
    drop(tx);
    let mut tx = world.store.write(&world.system).await.unwrap();
    assert_eq!(outbox::newest(&mut tx, &world.system).await.unwrap(), 0);
    outbox::publish(&mut tx, &[(None, event.clone())], world.ambient.now()).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.store.read(&world.system).await.unwrap();
    let stored = outbox::after(&mut tx, &world.system, 0, 10).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].event, event);
}

#[tokio::test]
async fn report_lines_and_the_placement_log_are_partitioned_and_years_are_dropped() {
    let world = World::new(Postgres, "partitions").await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    let line = "INSERT INTO report_lines (report, line, file_row, seller, buyer, buyer_name, country, product_number, \
                model, manufacturer, serial, invoice, supersedes, verdict, judged_at) \
                VALUES ($1, 1, 1, '', '', '', '', '', '', '', '5CG1234ABC', '', '', 'placed', 1)";
    let year = |year: i16| {
        let at = date(year, 6, 1).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        Micros(at.as_microsecond())
    };
    for then in [2025, 2026, 2027, 2028, 2029] {
        tx.execute(line, vec![first_id_at::<ReportId>(year(then)).into()]).await.unwrap();
    }
    let places = async |tx: &mut Tx| -> Vec<String> {
        let rows: Vec<(String,)> = tx
            .all("SELECT tableoid::regclass::text FROM report_lines ORDER BY report", vec![])
            .await
            .unwrap();
        rows.into_iter().map(|(name,)| name.trim_start_matches("report_lines_").to_owned()).collect()
    };
    assert_eq!(places(&mut tx).await, ["other", "y2026", "y2027", "other", "other"]);
    tx.commit().await.unwrap();

    // 2028 has a row elsewhere already, 2030 has none.
    let mut tx = world.store.write(&world.system).await.unwrap();
    assert_eq!(lines::make_room(&mut tx, &world.system, year(2028)).await.unwrap(), 0);
    assert_eq!(lines::make_room(&mut tx, &world.system, year(2030)).await.unwrap(), 2);
    assert_eq!(lines::make_room(&mut tx, &world.system, year(2030)).await.unwrap(), 0);
    assert_eq!(lines::forget(&mut tx, &world.system, year(2026)).await.unwrap(), 0, "the year is not over");
    assert_eq!(lines::forget(&mut tx, &world.system, year(2027)).await.unwrap(), 1);
    assert_eq!(places(&mut tx).await, ["other", "y2027", "other", "other"]);
    // A partition is no way around the policies.
    assert!(tx.execute("SELECT 1 FROM report_lines_y2027", vec![]).await.is_err());
    drop(tx);

    // Each question meets the partitions by their indexes.
    for (sql, most) in [
        (
            "SELECT line FROM report_lines WHERE report = '019b76da-a800-7000-8000-000000000000' AND line > 5 \
             ORDER BY line LIMIT 9",
            1,
        ),
        (
            "SELECT seq FROM placement_log WHERE partner = '019b76da-a800-7000-8000-000000000000' AND seq > 5 \
             ORDER BY seq LIMIT 9",
            1,
        ),
        (
            "SELECT line FROM report_lines WHERE serial = '5CG1234ABC' AND transaction_kind IS NOT NULL \
          AND (verdict <> 'duplicate' OR reasons IS NOT NULL)",
            5,
        ),
    ] {
        let plan = roadstead_store::engine::explain(&world.store, sql).await.unwrap();
        assert!(!plan.contains("Seq Scan") && !plan.contains("Sort"), "{sql}\n{plan}");
        let met = plan.matches("Index").count() - plan.matches("Index Cond").count();
        assert!((1..=most).contains(&met), "{sql}\n{plan}");
    }
}

#[tokio::test]
async fn old_lines_are_forgotten_on_sqlite_too() {
    let world = World::new(Sqlite, "oldlines").await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    let line = "INSERT INTO report_lines (report, line, file_row, seller, buyer, buyer_name, country, product_number, \
                model, manufacturer, serial, invoice, supersedes, verdict, judged_at) \
                VALUES ($1, $2, 1, '', '', '', '', '', '', '', '5CG1234ABC', '', '', 'placed', 1)";
    let now = world.ambient.now();
    let (old, new): (ReportId, ReportId) =
        (first_id_at(now.plus_seconds(-9)), first_id_at(now.plus_seconds(9)));
    for n in 0..3_i64 {
        tx.execute(line, vec![old.into(), n.into()]).await.unwrap();
        tx.execute(line, vec![new.into(), n.into()]).await.unwrap();
    }
    assert_eq!(lines::make_room(&mut tx, &world.system, now).await.unwrap(), 0);
    assert_eq!(lines::forget(&mut tx, &world.system, now).await.unwrap(), 3);
    assert_eq!(lines::forget(&mut tx, &world.system, now).await.unwrap(), 0);
    assert_eq!(tx.number("SELECT COUNT(*) FROM report_lines", vec![]).await.unwrap(), 3);
}

/// Work that runs twice tells once what came of it, until it is tried again.
#[rstest]
#[tokio::test]
async fn an_operation_ends_once(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("ends_once_{kind:?}")).await;
    let (id, now): (OperationId, _) = (world.ambient.id(), world.ambient.now());
    let mut tx = world.store.write(&world.system).await.unwrap();
    operations::create(&mut tx, id, "transfer", None, 1, now).await.unwrap();
    let state = async |tx: &mut Tx| operations::get(tx, &world.system, id).await.unwrap().unwrap().state;
    for succeeded in [false, true] {
        operations::end(&mut tx, id, succeeded, "{}", now).await.unwrap();
        assert_eq!(state(&mut tx).await, "failed");
    }
    operations::retry(&mut tx, id, now).await.unwrap();
    for succeeded in [true, false] {
        operations::end(&mut tx, id, succeeded, "{}", now).await.unwrap();
        assert_eq!(state(&mut tx).await, "succeeded");
    }
}

#[rstest]
#[tokio::test]
async fn unknown_enrolments_and_wrong_guesses_are_counted_apart_and_by_the_hour(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::new(kind, &format!("unknown_pcs_{kind:?}")).await;
    let (scope, now) = (&world.system, world.ambient.now());
    let (one, two) = ("192.0.2.1", "192.0.2.2");
    let mut tx = world.store.write(scope).await.unwrap();
    for network in [one, one, two] {
        enrolments::count_unknown(&mut tx, scope, network, now).await.unwrap();
    }
    cpins::count_wrong(&mut tx, scope, one, now).await.unwrap();
    assert_eq!(enrolments::unknown(&mut tx, scope, one, now).await.unwrap(), (2, 3));
    assert_eq!(enrolments::unknown(&mut tx, scope, two, now).await.unwrap(), (1, 3));
    assert_eq!(cpins::wrong_guesses(&mut tx, scope, one, now).await.unwrap(), (1, 1));
    let later = now.plus_seconds(3600);
    assert_eq!(enrolments::unknown(&mut tx, scope, one, later).await.unwrap(), (0, 0));
    assert_eq!(cpins::forget_guesses(&mut tx, later).await.unwrap(), 5);
}

#[rstest]
#[tokio::test]
async fn readers_cannot_write(#[values(Sqlite)] kind: Kind) {
    let world = World::new(kind, "readers").await;
    let mut tx = world.store.read(&world.system).await.unwrap();
    let event = Event::ReportedLinesChanged { report: world.ambient.id() };
    assert!(outbox::publish(&mut tx, &[(None, event.clone())], world.ambient.now()).await.is_err());
}
