//! A platform that does what a test says and writes down what it was asked: for what a real one cannot be made to do at
//! will (lose an answer, be down for a moment). That the agent and the real one understand each other is tested with the
//! real one, in the server's tests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How a case is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Submits {
    /// It is taken.
    Take,
    /// It is taken, and the answer never arrives.
    TakeAndLoseTheAnswer,
    /// The server is down.
    Down,
    /// Somebody else would get it.
    RecipientIs(&'static str),
}

#[derive(Default)]
struct Seen {
    /// Every request but streams: the path after `/device/v1/`, and the body.
    calls: Vec<(String, Value)>,
    /// `Last-Event-ID` of every stream.
    resumed: Vec<Option<String>>,
    submits: Vec<Submits>,
    takes_no_check_ins: bool,
}

#[derive(Clone)]
pub(crate) struct Platform {
    seen: Arc<Mutex<Seen>>,
    events: watch::Sender<Vec<(String, Value)>>,
    address: SocketAddr,
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

impl Platform {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let platform = Self {
            seen: Arc::default(),
            events: watch::Sender::new(Vec::new()),
            address: listener.local_addr().unwrap(),
        };
        let serving = platform.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let platform = serving.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| platform.answer(request));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        platform
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends an event to whoever follows, now or later.
    pub(crate) fn send(&self, name: &str, data: Value) {
        self.events.send_modify(|events| events.push((name.to_owned(), data)));
    }

    /// How the next cases are answered; after these each is taken.
    pub(crate) fn will(&self, submits: &[Submits]) {
        self.seen.lock().unwrap().submits = submits.to_vec();
    }

    /// Whether check-ins are answered by a server that is down.
    pub(crate) fn takes_no_check_ins(&self, is_down: bool) {
        self.seen.lock().unwrap().takes_no_check_ins = is_down;
    }

    /// The bodies of the calls to this path.
    pub(crate) fn calls(&self, path: &str) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        seen.calls.iter().filter(|(known, _)| known == path).map(|(_, body)| body.clone()).collect()
    }

    /// Where each stream went on.
    pub(crate) fn resumed(&self) -> Vec<Option<String>> {
        self.seen.lock().unwrap().resumed.clone()
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, String> {
        let path = request.uri().path().trim_start_matches("/device/v1/").to_owned();
        if path == "events" {
            let after = request.headers().get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
            let from = after.as_deref().map_or(0, |id| id.parse().unwrap());
            self.seen.lock().unwrap().resumed.push(after);
            return Ok(self.stream(from));
        }
        let body = request.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (submits, is_down) = {
            let mut seen = self.seen.lock().unwrap();
            seen.calls.push((path.clone(), body.clone()));
            let is_asked = path == "repair-cases" && !seen.submits.is_empty();
            let submits = if is_asked { seen.submits.remove(0) } else { Submits::Take };
            (submits, seen.takes_no_check_ins)
        };
        let (status, answer) = match path.as_str() {
            "enrolments" => (201, json!({ "id": uuid::Uuid::nil(), "state": "enrolled" })),
            "check-ins" if is_down => (503, json!({ "code": "busy" })),
            "check-ins" => {
                (200, json!({ "next_seconds": 300, "collect_user": false, "collect_location": false }))
            }
            "repair-cases" => match submits {
                Submits::Take => (201, case(&body, "new", true)),
                Submits::TakeAndLoseTheAnswer => return Err("the line is cut".to_owned()),
                Submits::Down => (503, json!({ "code": "busy" })),
                Submits::RecipientIs(name) => (
                    409,
                    json!({ "code": "pop_up.recipient_changed", "title": "Changed", "detail": "",
                        "recipient": { "code": name, "name": name } }),
                ),
            },
            path if path.ends_with("/answer") => {
                (200, case(&json!({ "id": path.split('/').nth(1) }), "claimed", true))
            }
            path if path.ends_with("/cancel") => {
                (200, case(&json!({ "id": path.split('/').nth(1) }), "cancelled", false))
            }
            _ => (200, json!({})),
        };
        let body = Full::new(Bytes::from(answer.to_string())).boxed_unsync();
        Ok(Response::builder().status(status).header("content-type", "application/json").body(body).unwrap())
    }

    fn stream(&self, from: usize) -> Answer {
        let events = self.events.subscribe();
        let stream = futures_util::stream::unfold((events, from), |(mut events, mut at)| async move {
            loop {
                let next = events.borrow_and_update().get(at).cloned();
                if let Some((name, data)) = next {
                    at += 1;
                    let text = format!("id: {at}\nevent: {name}\ndata: {data}\n\n");
                    return Some((Ok(Frame::data(Bytes::from(text))), (events, at)));
                }
                let waited = tokio::time::timeout(Duration::from_millis(500), events.changed()).await;
                if waited.is_err() {
                    return Some((Ok(Frame::data(Bytes::from(": still here\n\n"))), (events, at)));
                }
            }
        });
        let body = StreamBody::new(stream).boxed_unsync();
        Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
    }
}

/// A case as the platform answers.
pub(crate) fn case(submitted: &Value, state: &str, can_cancel: bool) -> Value {
    json!({
        "id": submitted["id"], "number": "C-7K2M-4QXP", "pop_up": submitted["pop_up"], "state": state,
        "state_text": format!("It is {state}"), "can_cancel": can_cancel,
        "recipient": { "code": "csdp", "name": "Hafen & Söhne <GmbH>" },
    })
}
