//! Hands queued mails to the mail server. Without one they wait, and the operator sees that they do.

mod text;

use std::fmt;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use futures_util::future::join_all;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Category, Severity};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use roadstead_domain::access;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::MailId;
use roadstead_domain::mail::next_attempt;
use roadstead_store::mails::{self, Due, Outcome};
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// Whether a mail can be addressed to it (RFC 5321 4.1.2).
pub fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a claimed mail is left alone by other nodes, in seconds: longer than an attempt takes.
const CLAIM_SECONDS: i64 = 120;
/// Mails sent at a time.
const AT_A_TIME: i64 = 8;

/// Where mails go. It may hold a password and is never printed.
#[derive(Clone)]
pub struct MailServer {
    /// `smtp://user:password@host:587?tls=required`, `smtps://...`.
    pub url: String,
    /// Whom mails come from: `Roadstead <no-reply@example.com>`.
    pub from: String,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("MailServer").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Writes and hands over.
pub struct Sender {
    smtp: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Before each link.
    public_url: String,
    /// The right half of each mail's number.
    host: String,
}

impl Sender {
    /// What sends to this server.
    pub fn new(server: &MailServer, public_url: &str) -> anyhow::Result<Self> {
        let from: Mailbox = server
            .from
            .parse()
            .with_context(|| format!("--mail-from: {} is not `Name <address>`", server.from))?;
        let public_url = public_url.trim_end_matches('/').to_owned();
        let host = public_url.split_once("://").map_or(public_url.as_str(), |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or_default().to_owned();
        let smtp = AsyncSmtpTransport::<Tokio1Executor>::from_url(&server.url)
            // The address may hold a password: it is not repeated.
            .map_err(|error| anyhow::anyhow!("--smtp is not smtp://user:password@host:port: {error}"))?
            .hello_name(ClientId::Domain(host.clone()))
            .timeout(Some(PATIENCE / 3))
            .build();
        Ok(Self { smtp, from, public_url, host })
    }

    fn write(&self, mail: &Due, now: Micros) -> anyhow::Result<Message> {
        let written = text::write(mail, &self.public_url)?;
        let date = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(now.0)?);
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Ok(Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, mail.recipient.parse()?))
            .subject(written.subject)
            .date(date)
            // The same each time, so that a mail that goes out twice can be told.
            .message_id(Some(format!("<{}@{}>", mail.id, self.host)))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(written.plain, written.html))?)
    }

    async fn send(&self, mail: &Due, now: Micros) -> Outcome {
        let message = match self.write(mail, now) {
            Ok(message) => message,
            Err(error) => return Outcome::Failed(format!("{error:#}")),
        };
        let error = match tokio::time::timeout(PATIENCE, self.smtp.send(message)).await {
            Ok(Ok(_)) => return Outcome::Sent,
            Ok(Err(error)) => {
                // 5xx is about this mail, save 53x: that is about our account (RFC 4954 6).
                let about_the_mail = error.status().is_some_and(|code| {
                    code.severity == Severity::PermanentNegativeCompletion
                        && code.category != Category::Unspecified3
                });
                let said = anyhow::Error::new(error);
                if about_the_mail {
                    return Outcome::Failed(format!("{said:#}"));
                }
                format!("{said:#}")
            }
            Err(_) => "the mail server took too long".to_owned(),
        };
        match next_attempt(mail.attempts, now, Micros(mail.ends_at)) {
            Some(at) => Outcome::Again(at, error),
            None => Outcome::Failed(error),
        }
    }
}

/// Sends what is due until told to stop.
pub async fn run(app: App, sender: Sender, stop: CancellationToken) {
    loop {
        let wait = match step(&app, &sender).await {
            Ok(None) => continue,
            Ok(Some(wait)) => wait,
            Err(error) => {
                tracing::error!("mails cannot be sent: {error:#}");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.mails.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Sends some of the mails that are due; how long to wait if there were none.
async fn step(app: &App, sender: &Sender) -> anyhow::Result<Option<Duration>> {
    let scope = access::system();
    let now = app.ambient.now();
    let mut tx = app.store.read(&scope).await?;
    let due = mails::next_due(&mut tx, &scope).await?;
    drop(tx);
    // Other nodes' mails, and a clock that was set, are found by looking now and then.
    let most = Duration::from_secs(5);
    let Some(due) = due else { return Ok(Some(most)) };
    if due > now {
        let wait = Duration::from_micros(u64::try_from(due.0 - now.0).unwrap_or(0));
        return Ok(Some(wait.clamp(Duration::from_millis(50), most)));
    }
    let mut tx = app.store.write(&scope).await?;
    let claimed = mails::claim(&mut tx, &scope, now, now.plus_seconds(CLAIM_SECONDS), AT_A_TIME).await?;
    tx.commit().await?;
    if claimed.is_empty() {
        // Another node was faster.
        return Ok(Some(Duration::from_millis(50)));
    }
    let outcomes = join_all(claimed.iter().map(|mail| sender.send(mail, now))).await;
    let mut tx = app.store.write(&scope).await?;
    for (mail, outcome) in claimed.iter().zip(&outcomes) {
        let (id, kind, attempts) = (mail.id, &mail.kind, mail.attempts);
        match outcome {
            Outcome::Sent => tracing::info!(%id, kind, attempts, "mail sent"),
            // What the server said may hold the address: it stands in the table alone.
            Outcome::Again(..) => tracing::warn!(%id, kind, attempts, "mail not taken; it is tried again"),
            Outcome::Failed(_) => tracing::error!(%id, kind, attempts, "mail given up"),
        }
        mails::note(&mut tx, &scope, MailId(id), outcome, app.ambient.now()).await?;
    }
    tx.commit().await?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_checked_at_the_start_and_its_password_is_never_shown() {
        let server = |url: &str, from: &str| MailServer { url: url.to_owned(), from: from.to_owned() };
        let good = server("smtps://me:hush@mail.example.com", "Roadstead <no-reply@example.com>");
        let sender = Sender::new(&good, "https://partners.example.com:8443/").unwrap();
        assert_eq!(
            (sender.host.as_str(), sender.public_url.as_str()),
            ("partners.example.com", "https://partners.example.com:8443")
        );
        assert!(!format!("{good:?}").contains("hush"));
        for (url, from) in [
            ("mail.example.com:25", "a@example.com"),
            ("http://me:hush@mail", "a@example.com"),
            (&good.url, "nobody"),
        ] {
            let error = Sender::new(&server(url, from), "http://localhost").err().unwrap();
            assert!(!format!("{error:#}").contains("hush"), "{error:#}");
        }
    }
}
