//! Two real nodes on one PostgreSQL database are restarted one after the other, under load and behind a proxy: no request
//! fails but for those that the proxy sends to the other node, and no work is lost or done twice.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access;
use roadstead_store::testing::fresh_postgres;
use roadstead_store::{Store, jobs};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::resume::{Server, free_port, roadstead, serve, token};
use crate::world::{Client, csv, eventually};

/// Sends each request to the next node, and to the other one where that is safe.
struct Proxy {
    nodes: [u16; 2],
    next: AtomicUsize,
    retried: AtomicUsize,
    http: reqwest::Client,
}

async fn forward(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, 1 << 30).await.unwrap();
    // A report is the same report by its bytes.
    let again = parts.method == Method::GET
        || parts.headers.contains_key("idempotency-key")
        || parts.uri.path() == "/api/v1/sell-through-reports";
    let first = proxy.next.fetch_add(1, Ordering::Relaxed);
    for attempt in 0..20 {
        let node = proxy.nodes[(first + attempt) % 2];
        let url = format!("http://127.0.0.1:{node}{}", parts.uri);
        let mut sent = proxy.http.request(parts.method.clone(), url).body(body.clone());
        for name in ["authorization", "content-type", "idempotency-key"] {
            if let Some(value) = parts.headers.get(name) {
                sent = sent.header(name, value);
            }
        }
        let answer = match sent.send().await {
            Ok(answer) => (answer.status(), answer.bytes().await),
            Err(error) if error.is_connect() || again => (StatusCode::OK, Err(error)),
            Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        };
        match answer {
            (status, Ok(bytes)) => return (status, bytes).into_response(),
            (_, Err(_)) if again => {
                proxy.retried.fetch_add(1, Ordering::Relaxed);
            }
            (_, Err(error)) if error.is_connect() => {}
            (_, Err(error)) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        }
    }
    (StatusCode::BAD_GATEWAY, "no node answers").into_response()
}

/// Tells a node to stop, and waits until it has.
fn stop(mut node: Server) {
    let told = Command::new("kill").args(["-TERM", &node.0.id().to_string()]).status().unwrap();
    assert!(told.success());
    let ended = node.0.wait().unwrap();
    assert!(ended.success(), "{ended}");
}

async fn database(name: &str) -> (String, TempDir) {
    (fresh_postgres(name).await.unwrap(), TempDir::new().unwrap())
}

fn lines(family: &str, from: usize, count: usize) -> Vec<u8> {
    let lines: Vec<String> = (from..from + count).map(|n| format!("{family}{n:07} R-1")).collect();
    csv(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A partner that everything is sold by, and its reporters.
async fn begin(operator: &Client, reporters: usize) {
    let partner =
        operator.post("partners", json!({ "name": "P", "partner_number": "R-1" })).await.expect(201);
    let body = json!({
        "support_level": "premium", "role": "service_delivery",
        "course_completed_on": "2026-01-01", "certified_on": "2026-01-01",
    });
    let id = partner["id"].as_str().unwrap();
    operator.post(&format!("partners/{id}/qualifications"), body).await.expect(201);
    for n in 0..reporters {
        let body = json!({ "name": "D", "reporter_number": format!("D-{n}"), "kind": "distributor" });
        operator.post("reporters", body).await.expect(201);
    }
}

async fn hand_in(operator: &Client, reporter: usize, file: Vec<u8>) -> String {
    let path = format!("/api/v1/sell-through-reports?reporter=D-{reporter}");
    let taken = operator.send(Method::POST, &path, Some(("text/csv", file))).await.expect(202);
    format!("operations/{}", taken["operation"]["id"].as_str().unwrap())
}

async fn ended(operator: &Client, operation: &str) -> Value {
    loop {
        let answer = operator.get(operation).await.expect(200);
        if answer["state"] != "running" {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_node_that_stops_hands_its_jobs_back_and_another_one_goes_on() {
    const LINES: usize = 60_000;
    let (url, directory) = database("handback").await;
    let place = ["--database", &url, "--data", directory.path().to_str().unwrap()];
    let port = free_port();
    let node = serve(&place, port).await;
    let operator = Client::to(&format!("http://127.0.0.1:{port}"), &token(&place, "operator", &[]));
    begin(&operator, 1).await;
    let operation = hand_in(&operator, 0, lines("5CG", 0, LINES)).await;
    eventually("the report is under way", async || {
        (operator.get(&operation).await.expect(200)["done"].as_i64() > Some(0)).then_some(())
    })
    .await;
    stop(node);

    let store = Store::open_postgres(&url).await.unwrap();
    let mut tx = store.read(&access::system()).await.unwrap();
    assert_eq!(jobs::left(&mut tx).await.unwrap(), (1, 0), "stopped in the middle");
    let leased = "SELECT COUNT(*) FROM jobs WHERE leased_until IS NOT NULL OR attempts > 0";
    assert_eq!(tx.number(leased, vec![]).await.unwrap(), 0);
    drop(tx);
    store.close().await;

    let _other = serve(&place, port).await;
    let ended = ended(&operator, &operation).await;
    assert_eq!(ended["result"]["counts"], json!({ "placed": LINES }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_are_restarted_in_turn_under_load_and_nothing_fails_or_is_doubled() {
    const LARGE: usize = 40_000;
    const SMALL: usize = 50;
    let (url, directory) = database("rolling").await;
    let data = |n: usize| directory.path().join(n.to_string()).to_str().unwrap().to_owned();
    let places = [0, 1].map(|n| ["--database".to_owned(), url.clone(), "--data".to_owned(), data(n)]);
    let places: Vec<Vec<&str>> = places.iter().map(|p| p.iter().map(String::as_str).collect()).collect();
    let ports = [free_port(), free_port()];
    let mut nodes = vec![serve(&places[0], ports[0]).await, serve(&places[1], ports[1]).await];
    let proxy = Arc::new(Proxy {
        nodes: ports,
        next: AtomicUsize::new(0),
        retried: AtomicUsize::new(0),
        http: reqwest::Client::new(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(forward).with_state(proxy.clone());
    tokio::spawn(axum::serve(listener, router).into_future());
    let operator = Client::to(&front, &token(&places[0], "operator", &[]));
    begin(&operator, 3).await;
    let partner = Client::to(&front, &token(&places[0], "partner", &["--for", "R-1"]));

    let over = Arc::new(AtomicBool::new(false));
    let go_on = || {
        let over = over.clone();
        move || !over.load(Ordering::Relaxed)
    };
    // Two large reports, small ones all the time, partners made once each, pages read: each answer is checked.
    let large = [
        hand_in(&operator, 0, lines("5CG", 0, LARGE)).await,
        hand_in(&operator, 1, lines("MXL", 0, LARGE)).await,
    ];
    let small = tokio::spawn({
        let (operator, goes_on) = (operator.clone(), go_on());
        async move {
            let mut operations = Vec::new();
            while goes_on() {
                operations.push(hand_in(&operator, 2, lines("CND", operations.len() * SMALL, SMALL)).await);
            }
            operations
        }
    });
    let made = tokio::spawn({
        let (operator, goes_on) = (operator.clone(), go_on());
        async move {
            let mut made = 0;
            while goes_on() {
                let body =
                    json!({ "name": "N", "partner_number": format!("N-{made}") }).to_string().into_bytes();
                let key = format!("key-{made}");
                let body = Some(("application/json", body));
                let headers = [("idempotency-key", key.as_str())];
                operator.send_with(Method::POST, "/api/v1/partners", body, &headers).await.expect(201);
                made += 1;
            }
            made
        }
    });
    let read = tokio::spawn({
        let goes_on = go_on();
        async move {
            let mut read = 0;
            while goes_on() {
                partner.get("unassigned-devices?limit=50").await.expect(200);
                read += 1;
            }
            (partner, read)
        }
    });

    for _ in 0..2 {
        for n in 0..2 {
            let node = nodes.remove(0);
            tokio::task::spawn_blocking(move || stop(node)).await.unwrap();
            nodes.push(serve(&places[n], ports[n]).await);
        }
    }
    over.store(true, Ordering::Relaxed);
    let (small, made) = (small.await.unwrap(), made.await.unwrap());
    let (partner, read) = read.await.unwrap();
    assert!(small.len() > 4 && made > 10 && read > 50, "too little load: {} {made} {read}", small.len());

    for (operations, count) in [(large.to_vec(), LARGE), (small.clone(), SMALL)] {
        for operation in operations {
            let ended = ended(&operator, &operation).await;
            assert_eq!(ended["result"]["counts"], json!({ "placed": count }), "{ended}");
        }
    }
    let all = 2 * LARGE + small.len() * SMALL;
    let csv = partner.send(Method::GET, "/api/v1/unassigned-devices?format=csv", None).await;
    assert_eq!(csv.text.lines().count(), all + 1);
    assert_eq!(operator.all("partners").await.len(), made + 1);
    assert!(operator.all("dead-jobs").await.is_empty());
    let verified = roadstead(&["audit", "verify"]).args(&places[0]).output().unwrap();
    let said = String::from_utf8(verified.stdout).unwrap();
    assert_eq!(said.trim(), format!("{all} entries hold"), "each PC moved once");
    let answers = small.len() + made + read;
    println!("{answers} answers, {} of them by the other node", proxy.retried.load(Ordering::Relaxed));
}
