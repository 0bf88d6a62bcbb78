//! A platform of a test's own: a fresh database, a real port, real background work, a clock that the test moves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use roadstead_domain::access::{self, Role};
use roadstead_domain::clock::Ambient;
use roadstead_server::app::{App, Config};
use roadstead_server::flows::users::NewUser;
use roadstead_server::{cli, flows};
use roadstead_store::engine::Kind;
use roadstead_store::testing::{self, SteppedClock};
use roadstead_store::{Store, args, dead_jobs, jobs};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) clock: Arc<SteppedClock>,
    pub(crate) url: String,
    pub(crate) operator: Client,
    directory: TempDir,
    stop: DropGuard,
    server: JoinHandle<anyhow::Result<()>>,
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    pub(crate) token: Option<String>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The answer's JSON, which must have come with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    /// The stable code of a refusal with this status.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> String {
        self.expect(status)["code"].as_str().unwrap().to_owned()
    }
}

impl Client {
    /// Somebody with this token at this address.
    pub(crate) fn to(url: &str, token: &str) -> Self {
        Self { http: client(), url: url.to_owned(), token: Some(token.to_owned()) }
    }

    /// The same caller at another node.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        self.send_with(method, path, body, &[]).await
    }

    pub(crate) async fn send_with(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some((kind, bytes)) = body {
            request = request.header("content-type", kind).body(bytes);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        Answer { status: response.status(), text: response.text().await.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, &format!("/api/v1/{path}"), None).await
    }

    /// An answer that is no text.
    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let request = self.http.get(format!("{}/api/v1/{path}", self.url));
        let response = request.bearer_auth(self.token.as_ref().unwrap()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.bytes().await.unwrap().to_vec()
    }

    /// An answer with its headers.
    pub(crate) async fn fetch(&self, path: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}/api/v1/{path}", self.url));
        request.bearer_auth(self.token.as_ref().unwrap()).send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let body = ("application/json", body.to_string().into_bytes());
        self.send(Method::POST, &format!("/api/v1/{path}"), Some(body)).await
    }

    /// Hands in a file; the report's id once it is judged.
    pub(crate) async fn report(&self, query: &str, kind: &str, bytes: impl Into<Vec<u8>>) -> String {
        let path = format!("/api/v1/sell-through-reports{query}");
        let submitted = self.send(Method::POST, &path, Some((kind, bytes.into()))).await.expect(202);
        self.done(submitted["operation"]["id"].as_str().unwrap()).await;
        submitted["report"]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until an operation has ended well.
    pub(crate) async fn done(&self, operation: &str) -> Value {
        eventually("the operation ends", async || {
            let answer = self.get(&format!("operations/{operation}")).await.expect(200);
            (answer["state"] != "running").then_some(answer)
        })
        .await
    }

    /// Every item of a list, page by page.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{mark}limit=100&cursor={cursor}")).await.expect(200);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return items,
            }
        }
    }

    /// A customer tenant that the partner runs; its id.
    pub(crate) async fn customer(&self, name: &str) -> String {
        let body = json!({
            "name": name, "address": "Kaiweg 1", "city": "Hamburg", "postal_code": "20457", "country": "DE",
            "plan": "premium_plus", "management": "partner",
        });
        self.post("customers", body).await.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// A customer tenant that its own IT admin runs and who has not answered; its id.
    pub(crate) async fn invited_customer(&self, name: &str) -> String {
        let body = json!({
            "name": name, "address": "Kaiweg 1", "city": "Hamburg", "postal_code": "20457", "country": "DE",
            "plan": "premium_plus", "management": "customer",
            "admin": { "first_name": "Inga", "last_name": "Boje", "email": "inga@example.com", "phone": "" },
        });
        self.post("customers", body).await.expect(201)["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        let body = ("application/json", body.to_string().into_bytes());
        self.send(Method::PATCH, &format!("/api/v1/{path}"), Some(body)).await
    }

    /// The serials of the pool.
    pub(crate) async fn pool(&self) -> Vec<String> {
        let items = self.all("unassigned-devices").await;
        items.iter().map(|item| item["serial_number"].as_str().unwrap().to_owned()).collect()
    }

    /// The verdicts of a report, in file order.
    pub(crate) async fn verdicts(&self, report: &str) -> Vec<String> {
        let lines = self.all(&format!("sell-through-reports/{report}/lines")).await;
        lines.iter().map(|line| line["verdict"].as_str().unwrap().to_owned()).collect()
    }
}

/// Asks until there is an answer, for at most two minutes: machines that build beside it are slow.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..2400 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("in two minutes it was never so that {what}");
}

impl World {
    /// Waits until what follows from check-ins is written: of a crowd nobody is kept waiting for it.
    pub(crate) async fn until_judged(&self) {
        self.until_all_judged_but(0).await;
    }

    /// Waits until so many check-ins are left of which that could not be written.
    pub(crate) async fn until_all_judged_but(&self, left: i64) {
        eventually("the other check-ins are judged", async || {
            let mut tx = self.app.store.read(&access::system()).await.unwrap();
            let waiting = tx.number("SELECT COUNT(*) FROM check_ins_to_judge", vec![]).await.unwrap();
            (waiting == left).then_some(())
        })
        .await;
    }

    pub(crate) async fn start(kind: Kind, name: &str) -> Self {
        Self::with(kind, name, Config::default()).await
    }

    pub(crate) async fn with(kind: Kind, name: &str, config: Config) -> Self {
        let directory = TempDir::new().unwrap();
        let store = testing::fresh(kind, directory.path(), &format!("{name}{kind:?}")).await.unwrap();
        let (ambient, clock) = testing::ambient();
        Self::on(store, directory, config, ambient, clock).await
    }

    /// On a database that is there already.
    pub(crate) async fn on(
        store: Store,
        directory: TempDir,
        config: Config,
        ambient: Ambient,
        clock: Arc<SteppedClock>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = Config { public_url: url.clone(), ..config };
        let app = App::new(store, ambient, config, directory.path().join("spool"));
        let stop = CancellationToken::new();
        let server = tokio::spawn(cli::serve(app.clone(), listener, stop.clone().cancelled_owned()));
        let nobody = Client { http: client(), url: url.clone(), token: None };
        let stop = stop.drop_guard();
        let mut world = Self { app, clock, url, operator: nobody, directory, stop, server };
        world.operator = world.token(Role::Operator, None).await;
        world
    }

    /// The data directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Stops the server and closes the database; what another one needs to go on where it stopped.
    pub(crate) async fn stopped(self) -> (TempDir, Ambient, Arc<SteppedClock>) {
        drop(self.stop);
        self.server.await.unwrap().unwrap();
        (self.directory, self.app.ambient.clone(), self.clock)
    }

    /// Another node on the same database.
    pub(crate) async fn second_node(&self) -> (String, DropGuard) {
        let (shared, spool) = (&self.app, self.app.spool.join("second"));
        let app = App::new(shared.store.clone(), shared.ambient.clone(), shared.config.clone(), spool);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(cli::serve(app, listener, stop.clone().cancelled_owned()));
        (url, stop.drop_guard())
    }

    /// A caller without any credential.
    pub(crate) fn nobody(&self) -> Client {
        Client { token: None, ..self.operator.clone() }
    }

    pub(crate) async fn token(&self, role: Role, whose: Option<&str>) -> Client {
        let token = flows::tokens::create(&self.app, &access::system(), role, whose, "test").await.unwrap();
        Client { http: client(), url: self.url.clone(), token: Some(token) }
    }

    /// Somebody with this token.
    pub(crate) fn with_token(&self, token: &str) -> Client {
        Client { http: client(), url: self.url.clone(), token: Some(token.to_owned()) }
    }

    pub(crate) async fn user(&self, email: &str, role: Role, whose: Option<&str>) {
        let new = NewUser { email, name: "Test Person", password: PASSWORD, role, whose, language: None };
        flows::users::create(&self.app, &access::system(), new).await.unwrap();
    }

    /// A partner without any qualification.
    pub(crate) async fn newcomer(&self, number: &str) -> String {
        let body = json!({ "name": format!("Partner {number}"), "partner_number": number });
        self.operator.post("partners", body).await.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// Records that a partner is certified for Premium+ as View/Monitor.
    pub(crate) async fn certify(&self, partner: &str) {
        self.qualify(partner, "2026-01-02", Value::Null).await;
    }

    pub(crate) async fn qualify(&self, partner: &str, certified_on: &str, expires_on: Value) {
        let body = json!({
            "support_level": "premium_plus", "role": "resell_and_view_monitor",
            "course_completed_on": "2026-01-01", "certified_on": certified_on, "expires_on": expires_on,
        });
        self.operator.post(&format!("partners/{partner}/qualifications"), body).await.expect(201);
    }

    /// A certified partner, and its admin.
    pub(crate) async fn partner(&self, number: &str) -> Client {
        let id = self.newcomer(number).await;
        self.certify(&id).await;
        self.token(Role::PartnerAdmin, Some(number)).await
    }

    /// Background work about a report that was given up for this reason; its id.
    pub(crate) async fn dead_job(&self, report: &str, why: &str) -> String {
        let (ambient, scope) = (&self.app.ambient, access::system());
        let report: uuid::Uuid = report.parse().unwrap();
        let mut tx = self.app.store.write(&scope).await.unwrap();
        let now = ambient.now();
        jobs::enqueue(&mut tx, jobs::Kind::IngestReport, report, report, now, ambient).await.unwrap();
        let dead = "UPDATE jobs SET dead = $2, last_error = $3, attempts = 8 WHERE subject = $1";
        tx.execute(dead, args![report, true, why]).await.unwrap();
        let listed =
            dead_jobs::list(&mut tx, &scope, &roadstead_store::page::Page::default()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        listed.items[0].id.to_string()
    }

    /// A distributor, and its token.
    pub(crate) async fn distributor(&self, number: &str) -> Client {
        let body = json!({ "name": format!("Distributor {number}"), "reporter_number": number, "kind": "distributor" });
        self.operator.post("reporters", body).await.expect(201);
        self.token(Role::Distributor, Some(number)).await
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A page as a browser without scripts gets it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// The session's cookie, if the page set one.
    pub(crate) fn session(&self) -> Option<String> {
        self.headers.get_all("set-cookie").iter().find_map(|value| {
            let pair = value.to_str().ok()?.split(';').next()?;
            pair.starts_with("session=").then(|| pair.to_owned())
        })
    }
}

/// Sends a form.
pub(crate) async fn browse(url: &str, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let body: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let mut request = client()
        .post(format!("{url}{path}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.join("&"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Page { status, headers, text: response.text().await.unwrap() }
}

/// A CSV file of lines written as `serial seller` with optional `key=value`: `kind`, `buyer`, `name`, `level`,
/// `invoice`, `date`, `quantity`.
pub(crate) fn csv(lines: &[&str]) -> Vec<u8> {
    let mut text = String::from(
        "Transaction,Transaction Date,Reseller ID,End Customer ID,End Customer,Product Number,Description,\
         Service Level,Serial Number,Quantity,Invoice Number\n",
    );
    for line in lines {
        let mut words = line.split(' ');
        let (serial, seller) = (words.next().unwrap(), words.next().unwrap());
        let words: Vec<(&str, &str)> = words.map(|word| word.split_once('=').unwrap()).collect();
        let get = |key: &str, usual: &'static str| {
            words.iter().find(|(name, _)| *name == key).map_or(usual, |(_, value)| value).replace('_', " ")
        };
        let (kind, date) = (get("kind", "sale"), get("date", "2026-11-18"));
        let (buyer, name, level) = (get("buyer", "C-10"), get("name", "Muster AG"), get("level", "Premium+"));
        let quantity = get("quantity", if kind == "return" { "-1" } else { "1" });
        let invoice = get("invoice", "INV-1");
        text += &format!(
            "{kind},{date},{seller},{buyer},{name},6T1A2EA,Notebook 14,{level},{serial},{quantity},{invoice}\n"
        );
    }
    text.into_bytes()
}

/// An open stream of server-sent events.
pub(crate) struct EventStream {
    pub(crate) bytes: std::pin::Pin<Box<dyn futures_util::Stream<Item = String> + Send>>,
    text: String,
}

impl Client {
    /// Opens a stream; it follows once the first bytes are there.
    pub(crate) async fn stream(&self, path: &str, last_event_id: Option<&str>) -> EventStream {
        use futures_util::StreamExt;
        let mut request = self.http.get(format!("{}/api/v1/{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let bytes = response
            .bytes_stream()
            .take_while(|piece| std::future::ready(piece.is_ok()))
            .map(|piece| String::from_utf8_lossy(&piece.unwrap_or_default()).into_owned());
        let mut stream = EventStream { bytes: Box::pin(bytes), text: String::new() };
        stream.block().await;
        stream
    }
}

impl EventStream {
    async fn block(&mut self) -> String {
        use futures_util::StreamExt;
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return block;
            }
            let piece = tokio::time::timeout(Duration::from_secs(30), self.bytes.next()).await;
            self.text += &piece.expect("an event within 30 seconds").expect("the stream goes on");
        }
    }

    /// The next event: its id, and its whole text.
    pub(crate) async fn next_event(&mut self) -> (String, String) {
        loop {
            let block = self.block().await;
            if let Some(id) = block.lines().find_map(|line| line.strip_prefix("id: ")) {
                return (id.to_owned(), block);
            }
        }
    }
}
