//! A serial of somebody else and one that nobody knows are answered by the very same statements in the same order, so
//! that not even the time that an answer takes has a reason to differ. Counted, not timed.

use std::sync::{Arc, Mutex, Once};

use roadstead_domain::access::{self, Action, Actor, Caller, Home, Role, Scope};
use roadstead_domain::ids::{ReporterId, TenantId};
use roadstead_domain::transfer::Asked;
use roadstead_server::flows::{explanations, support_cases, transfers};
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::instrument::{Instrument, WithSubscriber};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::world::{World, csv};

/// Where the store tells of statements.
const STATEMENTS: &str = "roadstead_store::statements";

/// Keeps the statements that are asked inside of a span; what the server does besides is in none.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() == STATEMENTS && context.event_span(event).is_some() {
            event.record(&mut self.clone());
        }
    }
}

impl Visit for Statements {
    fn record_str(&mut self, _: &Field, sql: &str) {
        self.0.lock().unwrap().push(sql.to_owned());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// The statements that this work asks.
async fn asked_by<T>(work: impl Future<Output = T>) -> Vec<String> {
    let statements = Statements::default();
    let subscriber = Registry::default().with(statements.clone());
    // Without somebody who always listens, another test's thread may note at this very moment that nobody does.
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let statements = Targets::new().with_target(STATEMENTS, Level::TRACE).with_target("it", Level::INFO);
        let _ = tracing::subscriber::set_global_default(Registry::default().with(statements));
    });
    let recorded = async { work.instrument(tracing::info_span!("asked")).await };
    recorded.with_subscriber(subscriber).await;
    let asked = statements.0.lock().unwrap();
    asked.clone()
}

fn scope(role: Role, home: Home, action: Action) -> Scope {
    access::authorize(&Caller { actor: Actor::System, role, home }, action).unwrap()
}

#[rstest]
#[tokio::test]
async fn a_foreign_serial_and_an_unknown_one_ask_the_same_statements(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "statements").await;
    let owner = world.partner("R-1").await;
    let stranger = world.partner("R-2").await;
    let distributor = world.distributor("D-1").await;
    world.distributor("D-2").await;
    let foreign = ["5CGFOREIGN", "5CGPARKED1", "5CGRETURN1", "5CGCUSTOM1"];
    let lines = [
        "5CGFOREIGN R-1",
        "5CGPARKED1 R-77",
        "5CGRETURN1 R-1 kind=return",
        "5CGCUSTOM1 R-1",
        "5CGOWNPOOL R-2",
    ];
    distributor.report("", "text/csv", csv(&lines)).await;
    let customer = owner.customer("Hafen").await;
    let items = json!({ "items": [{ "serial": "5CGCUSTOM1", "to": customer }] });
    let transfer = owner.post("transfers", items).await.expect(201);
    let commit = format!("transfers/{}/commit", transfer["id"].as_str().unwrap());
    owner.post(&commit, json!({ "digest": transfer["digest"] })).await.expect(200);
    let next_door = stranger.customer("Next Door").await;

    let id_of = async |path: &str| world.operator.get(path).await.expect(200)["id"].as_str().unwrap().parse();
    let partner = TenantId(id_of("partners/R-2").await.unwrap());
    let reporters = world.operator.all("reporters").await;
    let other = reporters.iter().find(|reporter| reporter["reporter_number"] == "D-2").unwrap();
    let reporter = ReporterId(other["id"].as_str().unwrap().parse().unwrap());
    let neighbour = TenantId(next_door.parse().unwrap());
    for (role, home) in [
        (Role::PartnerAdmin, Home::Partner(partner)),
        (Role::Distributor, Home::Reporter(reporter)),
        (Role::ItAdmin, Home::Customer(neighbour)),
    ] {
        let (reads, opens) =
            (scope(role, home, Action::Explain), scope(role, home, Action::OpenSupportCases));
        let all = async |serial: &str| {
            let app = &world.app;
            let list = [serial.to_owned()];
            [
                asked_by(async { explanations::explain(app, &reads, serial).await.unwrap() }).await,
                asked_by(async { explanations::findings(app, &reads, &list).await.unwrap() }).await,
                asked_by(async {
                    support_cases::open(app, &opens, "missing_devices", "", &list, &[]).await.unwrap()
                })
                .await,
            ]
        };
        let unknown = all("5CGUNKNOWN").await;
        assert!(unknown.iter().all(|asked| !asked.is_empty()), "{role:?}: {unknown:?}");
        let reads_lines = unknown[0].iter().any(|sql| sql.contains("CROSS JOIN report_lines"));
        assert_eq!(reads_lines, role != Role::ItAdmin, "{role:?}: {unknown:?}");
        for serial in foreign {
            assert_eq!(all(serial).await, unknown, "{role:?} {serial}");
        }
    }

    // So does the preview of a transfer; of an own PC it asks more.
    let moves = scope(Role::PartnerAdmin, Home::Partner(partner), Action::Transfer);
    let preview = async |serial: &str| {
        let asked = [Asked { serial: serial.to_owned(), to: next_door.clone() }];
        asked_by(async { transfers::preview(&world.app, &moves, &asked).await.unwrap() }).await
    };
    let unknown = preview("5CGUNKNOWN").await;
    assert!(unknown.iter().any(|sql| sql.contains("own_places")), "{unknown:?}");
    for serial in foreign {
        assert_eq!(preview(serial).await, unknown, "{serial}");
    }
    assert_ne!(preview("5CGOWNPOOL").await, unknown);
}
