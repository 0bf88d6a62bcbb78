//! Puts the routes and the layers around them together.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::FutureExt;
use uuid::Uuid;

use super::{ApiCaller, Problem, VisitorLang, idempotency};
use crate::app::App;
use crate::i18n::Lang;
use crate::{api, device, portal};

/// Where programs call.
const API: &str = "/api/v1";
/// Where agents call.
const DEVICE: &str = "/device/v1";

/// Routes with a list of them, for the tests that call each one as a neighbour: the portal's and the agents'.
#[derive(Default)]
pub struct Routes {
    router: Router<App>,
    /// Method and path of each route.
    pub list: Vec<(Method, &'static str)>,
}

impl Routes {
    /// No route yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route for GET.
    pub fn get<H: Handler<T, App>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.list.push((Method::GET, path));
        self.router = self.router.route(path, get(handler));
        self
    }

    /// Adds a route for POST.
    pub fn post<H: Handler<T, App>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.list.push((Method::POST, path));
        self.router = self.router.route(path, post(handler));
        self
    }
}

/// The whole platform as one service.
pub fn router(app: App) -> Router {
    assemble(app, api::router(), device::routes().router, portal::routes().router)
}

fn assemble(app: App, api: Router<App>, device: Router<App>, pages: Router<App>) -> Router {
    let api = api
        .fallback(async || Problem::not_found())
        .layer(middleware::from_fn_with_state(app.clone(), idempotency::layer));
    Router::new()
        .nest(API, api)
        .merge(device)
        .merge(pages.fallback(async || Problem::not_found()))
        .layer(middleware::from_fn_with_state(app.clone(), every_request))
        .with_state(app)
}

/// Whom a path is for, which is how its problems look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surface {
    Api,
    Device,
    Page,
}

impl Surface {
    fn of(path: &str) -> Self {
        let at = |prefix| {
            path.strip_prefix(prefix).is_some_and(|rest: &str| rest.is_empty() || rest.starts_with('/'))
        };
        if at(API) {
            Self::Api
        } else if at(DEVICE) {
            Self::Device
        } else {
            Self::Page
        }
    }
}

/// A handler's panic is our fault and no reason to cut the connection.
fn panicked(panic: &(dyn Any + Send)) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("nothing");
    tracing::error!(said, "a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal").into_response()
}

/// Numbers the request, logs it, shows what went wrong as its reader can read it, and sets what browsers are to be strict
/// about. One layer for all of it: each costs every request some of its time (docs/decisions/0059).
async fn every_request(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = app.ambient.id::<Uuid>().to_string();
    let surface = Surface::of(request.uri().path());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let lang = VisitorLang::of(&app, &uri, request.headers()).0;
    // By which a reader of a problem may be known.
    let known_by = (surface != Surface::Device).then(|| request.headers().clone());
    let begun = app.ambient.now();
    let answer = if surface == Surface::Page && !method.is_safe() && is_foreign(request.headers()) {
        Problem::new(StatusCode::FORBIDDEN, "csrf").into_response()
    } else {
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answer.unwrap_or_else(|panic| panicked(panic.as_ref()))
    };
    let mut response = match problem_of(answer).await {
        Ok(problem) => {
            tracing::debug!(%method, path = uri.path(), code = problem.code, "refused");
            let lang = match known_by {
                // In a box: every request is as large as what waits in it.
                Some(headers) => Box::pin(own_language(&app, &uri, &headers)).await.unwrap_or(lang),
                None => lang,
            };
            show(&app, surface, &problem, lang, &id)
        }
        Err(response) => response,
    };
    let status = response.status().as_u16();
    let micros = app.ambient.now().0 - begun.0;
    tracing::info!(request_id = %id, %method, path = uri.path(), status, micros, "request");
    let headers = response.headers_mut();
    headers.reserve(STRICT.len() + 3);
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert("x-request-id", id);
    }
    // An agent is no browser.
    for (name, value) in STRICT.into_iter().filter(|_| surface != Surface::Device) {
        headers.insert(name, value);
    }
    if app.config.https {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What browsers are told with every answer that one may show.
const STRICT: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// By what browsers say of the page that sends; other clients say nothing and carry no cookie by themselves.
fn is_foreign(headers: &HeaderMap) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (header("sec-fetch-site"), header("origin"), header("host")) {
        (Some(site), _, _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin), Some(host)) => origin.split_once("://").map(|(_, rest)| rest) != Some(host),
        (None, Some(_), None) => true,
        (None, None, _) => false,
    }
}

/// What a response says went wrong: our own draft, or what a library refused.
async fn problem_of(response: Response) -> Result<Problem, Response> {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return Ok(problem.clone());
    }
    let status = response.status();
    // A page that refuses a form says so itself.
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page || !(status.is_client_error() || status.is_server_error()) {
        return Err(response);
    }
    let body = to_bytes(response.into_body(), 64 << 10).await.unwrap_or_default();
    let found = Some(String::from_utf8_lossy(&body).into_owned()).filter(|found| !found.is_empty());
    let code = match status {
        StatusCode::NOT_FOUND => "not_found",
        _ if status.is_server_error() => "internal",
        _ => "request.invalid",
    };
    let found = found.filter(|_| status.is_client_error());
    Ok(Problem { found, ..Problem::new(status, code) })
}

/// A problem as its reader can read it: JSON for programs, a page for people.
fn show(app: &App, surface: Surface, problem: &Problem, lang: Lang, id: &str) -> Response {
    let is_unknown = problem.status == StatusCode::UNAUTHORIZED;
    let mut response = match surface {
        Surface::Page => portal::error_page(lang, problem.status, problem.code, id),
        Surface::Api | Surface::Device => {
            let mut body = problem.body(lang, id);
            // A PC whose signature is refused is told the server's time: its clock may be the reason.
            if is_unknown && surface == Surface::Device {
                body["server_time"] = app.ambient.now().rfc3339().into();
            }
            as_json(problem.status, &body)
        }
    };
    problem.say_when(&mut response);
    if surface == Surface::Api && is_unknown {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn as_json(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = (status, Body::from(body.to_string())).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The language of whoever is signed in, if the address asks for none.
async fn own_language(app: &App, uri: &Uri, headers: &HeaderMap) -> Option<Lang> {
    if uri.query().is_some_and(|query| query.contains("lang=")) {
        return None;
    }
    Some(ApiCaller::check(app, &Method::GET, headers).await.ok()?.lang)
}

#[cfg(test)]
mod tests {
    use roadstead_store::engine::Store;
    use roadstead_store::testing;

    use super::*;
    use crate::app::Config;

    async fn boom() -> &'static str {
        panic!("boom")
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_and_cuts_no_connection() {
        let directory = tempfile::TempDir::new().unwrap();
        let store = Store::open_sqlite(directory.path()).await.unwrap();
        let app = App::new(store, testing::ambient().0, Config::default(), directory.path().join("spool"));
        let broken = || Router::new().route("/boom", get(boom));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, assemble(app, broken(), Router::new(), broken())).into_future());

        let answer = reqwest::get(format!("{url}/api/v1/boom")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!((&body["code"], &body["request_id"]), (&"internal".into(), &id.into()));

        let root = reqwest::get(format!("{url}/api/v1")).await.unwrap();
        assert_eq!(root.status(), StatusCode::NOT_FOUND);
        assert_eq!(root.headers()["content-type"], "application/problem+json");

        let page = reqwest::get(format!("{url}/boom")).await.unwrap();
        assert_eq!(page.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(page.headers()["x-frame-options"], "DENY");
        assert!(page.headers().contains_key("content-security-policy"));
        assert!(page.text().await.unwrap().contains("Something went wrong on our side"));
    }
}
