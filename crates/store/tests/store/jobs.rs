//! Jobs: leases, lanes, tries, and what a later release left.

use roadstead_store::jobs;

use super::*;

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
