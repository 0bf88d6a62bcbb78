//! Puts the routes and the layers around them together.

use std::any::Any;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::{ApiCaller, Problem, VisitorLang, idempotency};
use crate::app::App;
use crate::i18n::Lang;
use crate::{api, device, portal};

/// The portal's routes, with a list of them for the test that calls each one as a neighbour.
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

    /// Adds a page.
    pub fn get<H: Handler<T, App>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.list.push((Method::GET, path));
        self.router = self.router.route(path, get(handler));
        self
    }

    /// Adds a form's target.
    pub fn post<H: Handler<T, App>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.list.push((Method::POST, path));
        self.router = self.router.route(path, post(handler));
        self
    }
}

/// The whole platform as one service.
pub fn router(app: App) -> Router {
    assemble(app, api::router(), device::router(), portal::routes().router)
}

fn assemble(app: App, api: Router<App>, device: Router<App>, pages: Router<App>) -> Router {
    let api = api
        .fallback(async || Problem::not_found())
        .layer(middleware::from_fn_with_state(app.clone(), idempotency::layer))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), api_problems));
    let device = device
        .fallback(async || Problem::not_found())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), device_problems));
    let pages = pages
        .fallback(async || Problem::not_found())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), page_problems))
        .layer(middleware::from_fn(same_origin));
    Router::new()
        .nest("/api/v1", api)
        .nest("/device/v1", device)
        .merge(pages)
        .layer(middleware::from_fn_with_state(app.clone(), every_response))
        .with_state(app)
}

/// A handler's panic is our fault and no reason to cut the connection.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("nothing");
    tracing::error!(said, "a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal").into_response()
}

/// The number under which a request stands in our logs.
#[derive(Clone)]
struct RequestId(String);

/// Numbers the request, logs it, and sets what browsers are to be strict about.
async fn every_response(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = app.ambient.id::<uuid::Uuid>().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let begun = app.ambient.now();
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    let micros = app.ambient.now().0 - begun.0;
    tracing::info!(request_id = %id, %method, path, status, micros, "request");
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.config.https {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses what another site's page makes a browser send to change something.
async fn same_origin(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    if is_foreign(request.headers()) {
        Problem::new(StatusCode::FORBIDDEN, "csrf").into_response()
    } else {
        next.run(request).await
    }
}

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

async fn api_problems(State(app): State<App>, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let id = request.extensions().get::<RequestId>().map_or(String::new(), |id| id.0.clone());
    let problem = match problem_of(next.run(request).await).await {
        Ok(problem) => problem,
        Err(response) => return response,
    };
    let lang = reader(&app, &uri, &headers).await;
    let mut response = as_json(problem.status, &problem.body(lang, &id));
    problem.say_when(&mut response);
    if problem.status == StatusCode::UNAUTHORIZED {
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

/// A PC whose signature is refused is told the server's time: its clock may be the reason.
async fn device_problems(State(app): State<App>, request: Request, next: Next) -> Response {
    let lang = VisitorLang::of(&app, request.uri(), request.headers()).0;
    let id = request.extensions().get::<RequestId>().map_or(String::new(), |id| id.0.clone());
    let problem = match problem_of(next.run(request).await).await {
        Ok(problem) => problem,
        Err(response) => return response,
    };
    let mut body = problem.body(lang, &id);
    if problem.status == StatusCode::UNAUTHORIZED {
        body["server_time"] = app.ambient.now().rfc3339().into();
    }
    let mut response = as_json(problem.status, &body);
    problem.say_when(&mut response);
    response
}

/// The reader's own language, if they are signed in and the address asks for none.
async fn reader(app: &App, uri: &Uri, headers: &HeaderMap) -> Lang {
    let asked = uri.query().is_some_and(|query| query.contains("lang="));
    match ApiCaller::check(app, &Method::GET, headers).await {
        Ok(known) if !asked => known.lang,
        _ => VisitorLang::of(app, uri, headers).0,
    }
}

async fn page_problems(State(app): State<App>, request: Request, next: Next) -> Response {
    let (uri, method, headers) = (request.uri().clone(), request.method().clone(), request.headers().clone());
    let id = request.extensions().get::<RequestId>().map_or(String::new(), |id| id.0.clone());
    match problem_of(next.run(request).await).await {
        Ok(problem) => {
            let lang = reader(&app, &uri, &headers).await;
            tracing::debug!(%method, path = uri.path(), code = problem.code, "page refused");
            let mut response = portal::error_page(lang, problem.status, problem.code, &id);
            problem.say_when(&mut response);
            response
        }
        Err(response) => response,
    }
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

        let page = reqwest::get(format!("{url}/boom")).await.unwrap();
        assert_eq!(page.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(page.text().await.unwrap().contains("Something went wrong on our side"));
    }
}
