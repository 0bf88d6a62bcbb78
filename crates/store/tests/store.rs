//! The store on both engines. Run by `make test`, which starts PostgreSQL.
#![allow(clippy::unwrap_used)]

use jiff::civil::date;
use roadstead_domain::access::{self, Action, Actor, Caller, Home, Role, Scope, authorize};
use roadstead_domain::clock::{Ambient, Micros, first_id_at};
use roadstead_domain::event::Event;
use roadstead_domain::ids::{DeviceId, OperationId, QualificationId, ReportId, TenantId};
use roadstead_domain::partner::{PartnerRole, Qualification, SupportLevel};
use roadstead_domain::placement::{Move, Place};
use roadstead_store::check_ins::Said;
use roadstead_store::device_keys::Once;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::page::Page;
use roadstead_store::partners::Holding;
use roadstead_store::placements::{Cause, Why};
use roadstead_store::pool::{Reporters, Sort};
use roadstead_store::{
    Error, Store, Tx, args, check_ins, cpins, dead_jobs, enrolments, jobs, lines, operations, outbox,
    partners, placements, pool, pool_page, serials, testing,
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

#[rstest]
#[tokio::test]
async fn a_job_is_leased_retried_and_dies(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("jobs_{kind:?}")).await;
    let subject = uuid::Uuid::from_u128(5);
    let mut tx = world.store.write(&world.system).await.unwrap();
    let due = world.ambient.now();
    jobs::enqueue(&mut tx, jobs::Kind::IngestReport, subject, subject, due, &world.ambient).await.unwrap();
    let later = due.plus_seconds(60);
    let job = jobs::claim(&mut tx, None, due, later).await.unwrap().unwrap();
    assert_eq!((job.kind, job.subject), (jobs::Kind::IngestReport, subject));
    assert!(jobs::claim(&mut tx, None, due, later).await.unwrap().is_none(), "leased");
    assert!(jobs::claim(&mut tx, None, later, later).await.unwrap().is_some(), "the lease ended");
    jobs::fail(&mut tx, &job, "no", Some(later), due).await.unwrap();
    assert!(jobs::claim(&mut tx, None, due, later).await.unwrap().is_none(), "not due yet");
    assert_eq!(jobs::next_due(&mut tx, None).await.unwrap(), Some(later));
    let job = jobs::claim(&mut tx, None, later, later.plus_seconds(60)).await.unwrap().unwrap();
    assert_eq!(jobs::failures(&mut tx, job.id).await.unwrap(), 1);
    jobs::renew(&mut tx, job.id, later).await.unwrap();
    assert_eq!(jobs::failures(&mut tx, job.id).await.unwrap(), 0, "who came further starts anew");
    let died = later.plus_seconds(9);
    jobs::fail(&mut tx, &job, "never", None, died).await.unwrap();
    assert_eq!(jobs::left(&mut tx).await.unwrap(), (0, 1));

    let dead = dead_jobs::list(&mut tx, &world.system, &Page::default()).await.unwrap().unwrap().items;
    assert_eq!((dead.len(), dead[0].id, dead[0].since), (1, job.id.0, died.0));
    assert_eq!((dead[0].kind.as_str(), dead[0].last_error.as_deref()), ("ingest_report", Some("never")));
    assert!(dead_jobs::revive(&mut tx, &world.system, job.id, died).await.unwrap());
    assert!(!dead_jobs::revive(&mut tx, &world.system, job.id, died).await.unwrap(), "only the dead");
    let job = jobs::claim(&mut tx, None, died, died).await.unwrap().unwrap();
    assert_eq!(jobs::failures(&mut tx, job.id).await.unwrap(), 0);
    jobs::fail(&mut tx, &job, "never", None, died).await.unwrap();
    dead_jobs::forget(&mut tx, &world.system, jobs::Kind::ReplayPartner, subject).await.unwrap();
    assert_eq!(jobs::left(&mut tx).await.unwrap(), (0, 1));
    dead_jobs::forget(&mut tx, &world.system, jobs::Kind::IngestReport, subject).await.unwrap();
    assert_eq!(jobs::left(&mut tx).await.unwrap(), (0, 0));
}

#[rstest]
#[tokio::test]
async fn a_lane_has_one_job_at_work_whatever_the_order_of_ids(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("lane_{kind:?}")).await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    let (due, lane) = (world.ambient.now(), uuid::Uuid::from_u128(7));
    let later = due.plus_seconds(60);
    for subject in [5, 6].map(uuid::Uuid::from_u128) {
        jobs::enqueue(&mut tx, jobs::Kind::ForwardCases, subject, lane, due, &world.ambient).await.unwrap();
    }
    // Two nodes' clocks differ, and within a millisecond ids have no order: the one that came first has the greater id.
    let renumber = "UPDATE jobs SET id = $2 WHERE subject = $1";
    for (subject, id) in [(5, 9), (6, 8)].map(|(s, i)| (uuid::Uuid::from_u128(s), uuid::Uuid::from_u128(i))) {
        tx.execute(renumber, vec![subject.into(), id.into()]).await.unwrap();
    }
    let put_off = "UPDATE jobs SET run_at = $2 WHERE subject = $1";
    tx.execute(put_off, vec![uuid::Uuid::from_u128(6).into(), due.plus_seconds(1).0.into()]).await.unwrap();
    let first = jobs::claim(&mut tx, None, due, later).await.unwrap().unwrap();
    assert_eq!(first.subject, uuid::Uuid::from_u128(5));
    assert!(
        jobs::claim(&mut tx, None, due.plus_seconds(2), later).await.unwrap().is_none(),
        "the lane is at work"
    );
    jobs::finish(&mut tx, first.id).await.unwrap();
    let except = Some(jobs::Kind::ForwardCases);
    assert!(
        jobs::claim(&mut tx, except, due.plus_seconds(2), later).await.unwrap().is_none(),
        "left to others"
    );
    assert_eq!(jobs::next_due(&mut tx, except).await.unwrap(), None);
    let second = jobs::claim(&mut tx, None, due.plus_seconds(2), later).await.unwrap().unwrap();
    assert_eq!(second.subject, uuid::Uuid::from_u128(6));
}

#[rstest]
#[tokio::test]
async fn a_report_that_is_tried_again_is_not_overtaken_by_the_next_of_its_reporter(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::new(kind, &format!("overtaken_{kind:?}")).await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    let (due, lane) = (world.ambient.now(), uuid::Uuid::from_u128(7));
    let (later, soon) = (due.plus_seconds(60), due.plus_seconds(30));
    for subject in [5, 6].map(uuid::Uuid::from_u128) {
        jobs::enqueue(&mut tx, jobs::Kind::IngestReport, subject, lane, due, &world.ambient).await.unwrap();
    }
    let sales = jobs::claim(&mut tx, None, due, later).await.unwrap().unwrap();
    jobs::fail(&mut tx, &sales, "deadlock", Some(soon), due).await.unwrap();
    assert!(
        jobs::claim(&mut tx, None, due, later).await.unwrap().is_none(),
        "the returns wait for the sales"
    );
    assert_eq!(jobs::next_due(&mut tx, None).await.unwrap(), Some(soon));
    let again = jobs::claim(&mut tx, None, soon, later).await.unwrap().unwrap();
    assert_eq!(again.subject, sales.subject);
    jobs::fail(&mut tx, &again, "never", None, soon).await.unwrap();
    assert!(
        jobs::claim(&mut tx, None, soon, later).await.unwrap().is_some(),
        "given up, it is waited for no more"
    );
}

#[rstest]
#[tokio::test]
async fn a_job_that_only_the_next_release_knows_is_left_to_it(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, &format!("unknown_job_{kind:?}")).await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    let due = world.ambient.now();
    for subject in [5, 6].map(uuid::Uuid::from_u128) {
        jobs::enqueue(&mut tx, jobs::Kind::ReplayPartner, subject, subject, due, &world.ambient)
            .await
            .unwrap();
    }
    let strange = "UPDATE jobs SET kind = 'brew_coffee' WHERE subject = $1";
    tx.execute(strange, vec![uuid::Uuid::from_u128(5).into()]).await.unwrap();
    let later = due.plus_seconds(60);
    let job = jobs::claim(&mut tx, None, due, later).await.unwrap().unwrap();
    assert_eq!(job.subject, uuid::Uuid::from_u128(6));
    assert!(jobs::claim(&mut tx, None, due, later).await.unwrap().is_none());
    assert_eq!(jobs::left(&mut tx).await.unwrap(), (2, 0), "it is still there");
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

/// An explanation is answered by indexes on both engines, however many lines there are.
#[rstest]
#[tokio::test]
async fn no_explanation_walks_a_table(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, "explanations").await;
    let (yes, serial, id) = ("false", "'5CG0000001'", "CAST('01a20000-0000-7000-8000-000000000000' AS UUID)");
    let lines = vec![yes, "'R-1'", id, id];
    let values = [lines.clone(), lines, vec![yes, id, id], vec![serial, yes, id, id], vec![serial, "'R-1'"]];
    for (sql, values) in roadstead_store::explanations::STATEMENTS.into_iter().zip(values) {
        let mut sql = sql.replace("<set>", "(SELECT CAST('5CG0000001' AS TEXT) AS value)");
        for (at, value) in values.into_iter().enumerate().filter(|_| kind == Postgres) {
            sql = sql.replace(&format!("${}", at + 1), value);
        }
        let sql: &'static str = sql.leak();
        let plan = roadstead_store::engine::explain(&world.store, sql).await.unwrap();
        let big = ["report_lines", "placement_log", "devices", "placements"];
        let walks = |line: &str| match kind {
            Sqlite => line.starts_with("SCAN l") || line.starts_with("SCAN m") || line.starts_with("SCAN d"),
            Postgres => big.iter().any(|table| line.contains(&format!("Seq Scan on {table}"))),
        };
        assert!(!plan.lines().any(walks), "{sql}\n{plan}");
    }
}

/// The hot questions are answered by an index, never by a walk over a table.
#[tokio::test]
async fn no_hot_question_walks_a_table() {
    let world = World::new(Sqlite, "plans").await;
    for sql in [
        "SELECT l.line FROM (SELECT value FROM json_each($1)) s CROSS JOIN report_lines l \
         WHERE l.serial = s.value AND l.transaction_kind IS NOT NULL \
         AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL)",
        "SELECT d.id FROM (SELECT value FROM json_each($1)) s CROSS JOIN devices d WHERE d.serial = s.value",
        "SELECT line FROM report_lines WHERE waits_for = $1 AND (report, line) > ($2, $3) ORDER BY report, line LIMIT 9",
        "SELECT device FROM placements WHERE tenant = $1 AND (serial, device) > ($2, $3) \
         ORDER BY serial, device LIMIT 9",
        "SELECT device FROM placements WHERE tenant = $1 AND (since, device) < ($2, $3) \
         ORDER BY since DESC, device DESC LIMIT 9",
    ] {
        let plan = roadstead_store::engine::explain(&world.store, sql).await.unwrap();
        let walks = plan.lines().any(|line| line.starts_with("SCAN") && !line.contains("json_each"));
        assert!(!walks && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

/// Whatever a table's wall asks: PostgreSQL does not put a cast, which may fail, in front of it (docs/decisions/0056).
#[tokio::test]
async fn rows_of_a_set_of_ids_are_looked_up_by_their_keys() {
    let world = World::new(Postgres, "ids_by_keys").await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    for sql in [
        "EXPLAIN (COSTS OFF) SELECT p.device FROM <set> s CROSS JOIN placements p WHERE p.device = s.value FOR SHARE OF p",
        "EXPLAIN (COSTS OFF) SELECT k.device FROM <set> s CROSS JOIN check_ins k WHERE k.device = s.value",
    ] {
        let plan: Vec<(String,)> = tx.all_of_ids(sql, vec![], &[uuid::Uuid::nil()]).await.unwrap();
        let plan: Vec<&str> = plan.iter().map(|(line,)| line.trim()).collect();
        assert!(plan.contains(&"Index Cond: (device = u.value)"), "{plan:#?}");
    }
}

/// A set of all tenants is no look-up, and makes PostgreSQL take any plan for as good as any other (docs/decisions/0056).
#[tokio::test]
async fn no_wall_reads_a_whole_table() {
    let world = World::new(Postgres, "walls_by_index").await;
    let mut tx = world.store.read(&world.system).await.unwrap();
    let policies: Vec<(String,)> = tx
        .all("SELECT CONCAT(tablename, ': ', qual) FROM pg_policies ORDER BY tablename, policyname", vec![])
        .await
        .unwrap();
    assert!(policies.len() > 50, "{}", policies.len());
    let whole: Vec<&(String,)> = policies.iter().filter(|(policy,)| policy.contains("IN ( SELECT")).collect();
    assert!(whole.is_empty(), "{whole:#?}");
}

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
    let read = number(read).await;
    assert!(read < 240, "{read} alerts of other PCs");
}
