//! The agent for a customer's PCs: the program itself, as it lies beside the server's own, and the command that installs it
//! with nobody at the PC.

use std::path::{Path as File, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::Action;
use roadstead_domain::cpin::Cpin;
use roadstead_domain::ids::TenantId;
use roadstead_store::cpins as rows;
use sha2::{Digest, Sha256};
use tokio_util::io::ReaderStream;

use super::format::bytes;
use super::layout::Frame;
use crate::app::App;
use crate::flows::cpins;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

const PROGRAM: &str = "roadstead-agent";

/// The page.
#[derive(Template)]
#[template(path = "agent.html")]
struct AgentPage {
    frame: Frame,
    lang: Lang,
    id: String,
    name: String,
    tab: &'static str,
    /// Its size and digest; without it the page says what is missing.
    program: Option<(String, String)>,
    built_for: String,
    command: Option<String>,
}

/// Shows the page.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEnrolment)?;
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let customer = cpins::manageable(&mut tx, &scope, &id).await?;
    let now = app.ambient.now();
    let made = rows::list(&mut tx, &scope, TenantId(customer.id)).await?;
    let valid = made.into_iter().find(|cpin| cpin.bounds().check(now).is_ok());
    drop(tx);
    let program = program(&app.config.agents).await;
    let command = program.as_ref().zip(valid).map(|(program, cpin)| {
        let cpin = cpin.code.parse::<Cpin>().map_or(cpin.code, |cpin| cpin.to_string());
        command(app.config.public_url.trim_end_matches('/'), &program.digest, &cpin)
    });
    let title = lang.text("agent-title");
    let mut frame = super::customers::inside(&browser, &uri, &scope, &customer, title);
    frame.here = format!("/customers/{id}/settings/agent");
    super::page(&AgentPage {
        frame,
        lang,
        id: customer.id.to_string(),
        name: customer.name,
        tab: "agent",
        program: program.map(|program| (bytes(lang, program.size), program.digest)),
        built_for: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        command,
    })
}

/// Hands out the program: it holds no secret.
pub(super) async fn hand_out(State(app): State<App>) -> Result<Response, Problem> {
    let file = app.config.agents.join(PROGRAM);
    let file = tokio::fs::File::open(file).await.map_err(|_| Problem::not_found())?;
    let size = file.metadata().await.map_err(|_| Problem::not_found())?.len();
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, size.to_string()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{PROGRAM}\"")),
        (CACHE_CONTROL, "no-cache".to_owned()),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

/// What a shell on the PC needs, in one line. A cPIN and a digest have no character that a shell looks at; an address has
/// none that leaves single quotes.
fn command(server: &str, digest: &str, cpin: &str) -> String {
    format!(
        "f=$(mktemp) && curl -fsS -o \"$f\" '{server}/downloads/{PROGRAM}' && echo \"{digest}  $f\" | sha256sum -c --status \
         && sudo install -m 0755 \"$f\" /usr/local/bin/{PROGRAM} && sudo /usr/local/bin/{PROGRAM} install \
         --server '{server}' --cpin {cpin}"
    )
}

/// The program as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Program {
    size: i64,
    digest: String,
}

/// Reads the program, once for as long as it stays the same.
async fn program(directory: &File) -> Option<Program> {
    static KNOWN: Mutex<Option<(PathBuf, SystemTime, Program)>> = Mutex::new(None);
    let path = directory.join(PROGRAM);
    let changed = tokio::fs::metadata(&path).await.ok()?.modified().ok()?;
    let known = || KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((file, at, program)) = known().as_ref()
        && (file, at) == (&path, &changed)
    {
        return Some(program.clone());
    }
    let content = tokio::fs::read(&path).await.ok()?;
    let read = move || Program {
        size: i64::try_from(content.len()).unwrap_or(i64::MAX),
        digest: hex::encode(Sha256::digest(&content)),
    };
    let program = tokio::task::spawn_blocking(read).await.ok()?;
    *known() = Some((path, changed, program.clone()));
    Some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_program_that_lies_there_is_the_one_that_is_told() {
        let directory = tempfile::TempDir::new().unwrap();
        assert_eq!(program(directory.path()).await, None);
        std::fs::write(directory.path().join(PROGRAM), "abc").unwrap();
        let read = program(directory.path()).await.unwrap();
        assert_eq!((read.size, &read.digest[..8]), (3, "ba7816bf"));
        let line = command("https://roadstead.example", &read.digest, "7K3M-AAAA-BBBB");
        assert!(line.contains("'https://roadstead.example/downloads/roadstead-agent'"), "{line}");
        assert!(
            line.ends_with("install --server 'https://roadstead.example' --cpin 7K3M-AAAA-BBBB"),
            "{line}"
        );
    }
}
