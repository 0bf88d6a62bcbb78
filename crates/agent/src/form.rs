//! The form that View opens: served on the loopback to the browser of whoever pressed it. An address opens it once; what
//! the browser goes on with is a secret that no list of processes shows. Other sites get nothing: `Host` and `Origin` are
//! checked, and no page may embed it, load anything into it or run a script in it.

mod page;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::keeper::Keeper;
use crate::record::{Draft, Kind, Record, Ticket};
use crate::screen::Stands;
use crate::texts::Lang;
use crate::words;

/// The most bytes of a submitted form.
const LARGEST: usize = 64 << 10;
/// The longest text of a field, in characters.
const LONGEST: usize = 4000;
/// How long a pop-up's process is kept waiting for news.
const WATCH: Duration = Duration::from_secs(20);

const CSS: &str = include_str!("form/form.css");
const SCRIPT: &str = include_str!("form/form.js");
/// `img-src data:` is for the empty icon, without which a browser asks for one of its own accord.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

type Answer = Response<Full<Bytes>>;

/// Serves the pages until the agent ends.
pub async fn serve(listener: TcpListener, keeper: Arc<Keeper>) -> anyhow::Result<()> {
    let host = listener.local_addr()?.to_string();
    loop {
        let (stream, _) = listener.accept().await?;
        let (keeper, host) = (Arc::clone(&keeper), host.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let (keeper, host) = (Arc::clone(&keeper), host.clone());
                async move { Ok::<_, Infallible>(guarded(request, &keeper, &host).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(30))
                .serve_connection(TokioIo::new(stream), service);
            // A browser that goes away in the middle is nobody's fault.
            if let Err(error) = connection.await {
                tracing::debug!("the form's connection: {error}");
            }
        });
    }
}

/// Lets through only what this machine's own browser asks of these pages themselves.
async fn guarded(request: Request<Incoming>, keeper: &Keeper, host: &str) -> Answer {
    let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let origin = format!("http://{host}");
    let is_ours = text(header::HOST) == Some(host)
        && match text(header::ORIGIN) {
            Some(named) => named == origin,
            None => request.method() == Method::GET,
        };
    let mut answer = if is_ours {
        answer(request, keeper).await.unwrap_or_else(|error| {
            tracing::error!("the form: {error:#}");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "")
        })
    } else {
        plain(StatusCode::FORBIDDEN, "text/plain", "")
    };
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

async fn answer(request: Request<Incoming>, keeper: &Keeper) -> anyhow::Result<Answer> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches('/').to_owned();
    let (secret, action) = path.split_once('/').unwrap_or((&path, ""));
    let is_post = parts.method == Method::POST;
    match (is_post, path.as_str()) {
        (false, "form.css") => return Ok(plain(StatusCode::OK, "text/css; charset=utf-8", CSS)),
        (false, "form.js") => return Ok(plain(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT)),
        _ => {}
    }
    let accepted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let gone = || page::gone(Lang::of_locale(accepted.unwrap_or("")));
    let Some((record, ticket)) = keeper.find(secret) else { return html(StatusCode::NOT_FOUND, gone()) };
    let id = record.id();
    match (ticket.kind, is_post, action) {
        (Kind::View, false, "") => {
            let form = keeper.secret();
            let is_first = record.submission.is_none() && !record.viewed;
            if keeper.change(id, |record| record.open_form(secret, &form))? != Some(true) {
                return html(StatusCode::NOT_FOUND, gone());
            }
            if is_first {
                keeper.notice(id, "viewed")?;
            }
            Ok(see_other(&form))
        }
        (Kind::Form, false, "") => html(StatusCode::OK, page::page(keeper, &record, &ticket, secret, false)),
        (Kind::Form, false, "version") => Ok(plain(StatusCode::OK, "text/plain", &page::version(&record))),
        (Kind::Form, true, "submit") => submit(keeper, &record, &ticket, secret, body).await,
        (Kind::Form, true, "later") => {
            let now = keeper.now();
            let later = keeper.change(id, |record| record.is_open(now).then(|| record.later(now)))?;
            if later.flatten().is_some() {
                keeper.dismissed(id, true)?;
            }
            let Some(record) = keeper.get(id) else { return html(StatusCode::NOT_FOUND, gone()) };
            html(StatusCode::OK, page::put_off(&record, ticket.lang))
        }
        (Kind::Form, true, "answer") => {
            let fields = fields(body).await?;
            let text = fields.into_iter().find_map(|(name, value)| (name == "text").then_some(value));
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                keeper.change(id, |record| record.answer(text))?;
            }
            Ok(see_other(secret))
        }
        (Kind::Form, true, "cancel") => {
            keeper.change(id, Record::cancel)?;
            Ok(see_other(secret))
        }
        (Kind::Screen, true, what) => {
            heard(keeper, &record, what)?;
            Ok(plain(StatusCode::OK, "text/plain", ""))
        }
        (Kind::Screen, false, "watch") => {
            let shown = parts.uri.query().and_then(|query| query.strip_prefix("shown="));
            let stands = watch(keeper, &record, ticket.lang, shown).await;
            Ok(plain(StatusCode::OK, "text/plain; charset=utf-8", &stands.text()?))
        }
        // News of a case stay until somebody closes them, and nobody has to hear of it.
        (Kind::News, true, _) => Ok(plain(StatusCode::OK, "text/plain", "")),
        (Kind::News, false, "watch") => {
            tokio::time::sleep(WATCH).await;
            Ok(plain(StatusCode::OK, "text/plain", "open"))
        }
        _ => html(StatusCode::NOT_FOUND, gone()),
    }
}

/// What the process on the screen says of its pop-up.
fn heard(keeper: &Keeper, record: &Record, what: &str) -> anyhow::Result<()> {
    let (id, now) = (record.id(), keeper.now());
    match what {
        "displayed" if record.submission.is_none() => keeper.notice(id, "displayed"),
        "later" => {
            keeper.change(id, |record| record.is_open(now).then(|| record.later(now)))?;
            keeper.dismissed(id, true)
        }
        "dismissed" if record.may_stand(now) => keeper.dismissed(id, false),
        _ => Ok(()),
    }
}

/// Waits for a while; what becomes of the pop-up that shows the words of this digest.
async fn watch(keeper: &Keeper, record: &Record, lang: Lang, shown: Option<&str>) -> Stands {
    let mut version = keeper.version();
    let stands = || {
        let record = keeper.get(record.id());
        record.map_or(Stands::NoMore, |record| words::stands(&record, keeper.now(), lang, shown))
    };
    let until_news = async { while stands() == Stands::AsItIs && version.changed().await.is_ok() {} };
    let _ = tokio::time::timeout(WATCH, until_news).await;
    stands()
}

async fn submit(
    keeper: &Keeper,
    record: &Record,
    ticket: &Ticket,
    secret: &str,
    body: Incoming,
) -> anyhow::Result<Answer> {
    let (mut draft, mut recipient) = (Draft::default(), String::new());
    for (name, value) in fields(body).await? {
        match name.as_str() {
            "name" => draft.contact.name = value,
            "email" => draft.contact.email = value,
            "phone" => draft.contact.phone = value,
            "times" => draft.times = value,
            "text" => draft.text = value,
            "recipient" => recipient = value,
            _ => {}
        }
    }
    if !draft.is_complete() {
        let record = Record { draft, ..record.clone() };
        return html(StatusCode::UNPROCESSABLE_ENTITY, page::page(keeper, &record, ticket, secret, true));
    }
    keeper.submit(record.id(), draft, &recipient)?;
    // Most answers are there at once: the next page shows what came of it.
    let mut version = keeper.version();
    let is_settled = || {
        keeper.get(record.id()).is_none_or(|record| record.submission.is_none_or(|sent| sent.case.is_some()))
    };
    let settled = async { while !is_settled() && version.changed().await.is_ok() {} };
    let _ = tokio::time::timeout(Duration::from_secs(3), settled).await;
    Ok(see_other(secret))
}

/// The fields of a form, trimmed and not endless.
async fn fields(body: Incoming) -> anyhow::Result<Vec<(String, String)>> {
    let body =
        Limited::new(body, LARGEST).collect().await.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
    let trimmed = |value: &str| value.trim().replace("\r\n", "\n").chars().take(LONGEST).collect();
    let fields = form_urlencoded::parse(&body).map(|(name, value)| (name.into_owned(), trimmed(&value)));
    Ok(fields.collect())
}

fn plain(status: StatusCode, kind: &'static str, text: &str) -> Answer {
    let mut answer = Response::new(Full::from(text.to_owned()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn html(status: StatusCode, text: Result<String, askama::Error>) -> anyhow::Result<Answer> {
    Ok(plain(status, "text/html; charset=utf-8", &text?))
}

fn see_other(secret: &str) -> Answer {
    let mut answer = plain(StatusCode::SEE_OTHER, "text/plain", "");
    // Hexadecimal, so it is always a header's value.
    if let Ok(place) = HeaderValue::from_str(&format!("/{secret}")) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}
