//! Mails on their way out: queued inside the transaction of what they tell about, claimed by whichever node comes first,
//! tried again until their end. A claim only saves work; a mail may go out twice, under the same number.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::{Ambient, Micros};
use roadstead_domain::ids::MailId;
use roadstead_domain::mail::{GIVEN_UP_SECONDS, MailKind};
use serde::Serialize;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::{News, Tx};
use crate::error::Result;
use crate::page::{Page, Rows};

/// A mail to be written.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// The address.
    pub recipient: String,
    /// `en` or `de`.
    pub language: String,
    /// What it is about.
    pub kind: MailKind,
    /// What its text says: the variables of its messages, texts alone.
    pub data: serde_json::Value,
    /// Where its button leads: a path of this platform, with its secret in the query.
    pub link: Option<String>,
    /// From when on it is not worth sending any more, as when its link has expired; `None` is four days from now.
    pub ends_at: Option<Micros>,
}

/// Queues mails on behalf of this scope. They go out after the commit, once a mail server is configured.
pub async fn queue(tx: &mut Tx, scope: &Scope, mails: &[NewMail], ambient: &Ambient) -> Result<()> {
    let now = ambient.now();
    let mut bulk = Bulk::new(
        "INSERT INTO mails (id, home, recipient, language, kind, data, link, state, attempts, due_at, ends_at, created_at)",
        12,
        "",
    );
    for (mail, id) in mails.iter().zip(ambient.ids::<MailId>(mails.len())) {
        bulk.push(
            tx,
            args![
                id,
                scope.home(),
                mail.recipient.trim(),
                &mail.language,
                mail.kind.as_str(),
                mail.data.to_string(),
                mail.link.clone(),
                "queued",
                0_i64,
                now,
                mail.ends_at.unwrap_or(now.plus_seconds(GIVEN_UP_SECONDS)),
                now
            ],
        )
        .await?;
    }
    bulk.finish(tx).await?;
    tx.notify(News::Work).await
}

/// A mail to be sent now.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Due {
    /// Its id.
    pub id: Uuid,
    /// The address.
    pub recipient: String,
    /// `en` or `de`.
    pub language: String,
    /// The code of what it is about.
    pub kind: String,
    /// What its text says, as JSON text.
    pub data: String,
    /// Where its button leads.
    pub link: Option<String>,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// From when on it is not worth sending.
    pub ends_at: i64,
}

/// Takes up to `most` mails that are due; nobody else takes them before `until`.
pub async fn claim(tx: &mut Tx, scope: &Scope, now: Micros, until: Micros, most: i64) -> Result<Vec<Due>> {
    scope.platform()?;
    let due: Vec<Due> = tx
        .all_ending(
            "SELECT id, recipient, language, kind, data, link, attempts + 1 AS attempts, ends_at FROM mails \
             WHERE state = 'queued' AND due_at <= $1 ORDER BY due_at, id LIMIT $2",
            tx.skip_locked(),
            args![now, most],
        )
        .await?;
    for mail in &due {
        tx.execute(
            "UPDATE mails SET due_at = $2, attempts = attempts + 1 WHERE id = $1",
            args![mail.id, until],
        )
        .await?;
    }
    Ok(due)
}

/// When the next mail is due, if one is queued.
pub async fn next_due(tx: &mut Tx, scope: &Scope) -> Result<Option<Micros>> {
    scope.platform()?;
    let row: Option<(Option<i64>,)> =
        tx.optional("SELECT MIN(due_at) FROM mails WHERE state = 'queued'", args![]).await?;
    Ok(row.and_then(|(due,)| due).map(Micros))
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The mail server has taken it.
    Sent,
    /// It was not taken; it is tried again then.
    Again(Micros, String),
    /// It was not taken and never will be.
    Failed(String),
}

/// Notes what became of an attempt. A mail that is done forgets its link.
pub async fn note(tx: &mut Tx, scope: &Scope, id: MailId, outcome: &Outcome, now: Micros) -> Result<()> {
    scope.platform()?;
    match outcome {
        Outcome::Again(at, error) => {
            tx.execute(
                "UPDATE mails SET due_at = $2, last_error = $3 WHERE id = $1 AND state = 'queued'",
                args![id, *at, error],
            )
            .await?;
        }
        Outcome::Sent | Outcome::Failed(_) => {
            let (state, error) = match outcome {
                Outcome::Failed(error) => ("failed", Some(error.as_str())),
                _ => ("sent", None),
            };
            tx.execute(
                "UPDATE mails SET state = $2, link = NULL, last_error = $3, done_at = $4 \
                 WHERE id = $1 AND state = 'queued'",
                args![id, state, error, now],
            )
            .await?;
        }
    }
    Ok(())
}

/// A mail as the operator sees it: neither text nor link.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct Mail {
    /// Its id.
    pub id: Uuid,
    /// The address.
    pub recipient: String,
    /// The code of what it is about.
    pub kind: String,
    /// `queued`, `sent` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What the mail server said last.
    pub last_error: Option<String>,
    /// When it was written, in microseconds.
    pub created_at: i64,
    /// When it was taken or given up.
    pub done_at: Option<i64>,
}

/// Every mail, newest first.
pub async fn list(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<Mail>>> {
    scope.platform()?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<Mail> = tx
        .all(
            "SELECT id, recipient, kind, state, attempts, last_error, created_at, done_at FROM mails \
             WHERE id < $1 ORDER BY id DESC LIMIT $2",
            args![after.unwrap_or(Uuid::max()), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |mail| mail.id)))
}

/// How many mails wait.
pub async fn queued(tx: &mut Tx, scope: &Scope) -> Result<i64> {
    scope.platform()?;
    tx.number("SELECT COUNT(*) FROM mails WHERE state = 'queued'", args![]).await
}

/// Forgets mails that were done with before this instant.
pub async fn forget(tx: &mut Tx, scope: &Scope, before: Micros) -> Result<u64> {
    scope.platform()?;
    tx.execute("DELETE FROM mails WHERE state <> 'queued' AND done_at <= $1", args![before]).await
}
