//! Mails on their way out, for the operator: whether they go, never what they say.

use axum::Json;
use axum::extract::{Query, State};
use roadstead_domain::access::Action;
use roadstead_store::mails;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{PageQuery, instant};
use crate::app::App;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MailBody {
    id: Uuid,
    recipient: String,
    /// A stable code.
    kind: String,
    /// `queued`, `sent` or `failed`.
    state: String,
    attempts: i64,
    /// What the mail server said last.
    last_error: Option<String>,
    created_at: String,
    /// When the mail server took it, or when it was given up.
    done_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mails {
    /// Whether a mail server is configured at the node that answers; without one mails wait.
    mail_server: bool,
    /// How many mails wait.
    queued: i64,
    items: Vec<MailBody>,
    /// Null at the end.
    next_cursor: Option<String>,
}

/// List mails, newest first.
#[utoipa::path(get, path = "/mails", tag = "mails", params(PageQuery), responses((status = 200, body = Mails)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Mails>, Problem> {
    let scope = caller.may(Action::ReadMails)?;
    let mut tx = app.store.read(&scope).await?;
    let queued = mails::queued(&mut tx, &scope).await?;
    let rows = mails::list(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    let rows = rows.map(|mail| MailBody {
        id: mail.id,
        recipient: mail.recipient,
        kind: mail.kind,
        state: mail.state,
        attempts: mail.attempts,
        last_error: mail.last_error,
        created_at: instant(mail.created_at),
        done_at: mail.done_at.map(instant),
    });
    let mail_server = app.config.mail.is_some();
    Ok(Json(Mails { mail_server, queued, items: rows.items, next_cursor: rows.next_cursor }))
}
