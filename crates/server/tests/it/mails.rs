//! Mails through a real mail server, and without one.

use std::process::Stdio;

use reqwest::StatusCode;
use roadstead_domain::access::{self, Role};
use roadstead_domain::mail::MailKind;
use roadstead_server::app::Config;
use roadstead_server::mail::MailServer;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::mails::{self, NewMail};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::world::{World, eventually};

/// A mail server of the test's own; see the script.
pub(crate) struct Catcher {
    pub(crate) port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Catcher {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/smtp_catcher.py");
        // Debian's own Python: the package python3-aiosmtpd belongs to it.
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port =
            lines.next_line().await.unwrap().expect("aiosmtpd: run scripts/install.sh").parse().unwrap();
        Self { port, lines, _process: process }
    }

    /// A platform that sends through it.
    pub(crate) fn config(&self, login: &str) -> Config {
        let url = format!("smtp://{login}127.0.0.1:{}", self.port);
        let from = "Roadstead <no-reply@roadstead.example>".to_owned();
        Config { mail: Some(MailServer { url, from }), ..Config::default() }
    }

    /// The next mail that it took.
    pub(crate) async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(std::time::Duration::from_secs(30), self.lines.next_line()).await;
        serde_json::from_str(&line.expect("a mail within 30 seconds").unwrap().unwrap()).unwrap()
    }

    /// The path of the link in the next mail to this address; mails to others before it are passed over.
    pub(crate) async fn link_to(&mut self, url: &str, address: &str) -> String {
        loop {
            let mail = self.next().await;
            if mail["to"] == json!([address]) {
                let (_, rest) =
                    mail["text"].as_str().unwrap().split_once(url).expect("a link to the platform");
                return rest.split_whitespace().next().unwrap().to_owned();
            }
        }
    }
}

async fn queue(world: &World, recipients: &[&str], language: &str) {
    let scope = access::system();
    let data = json!({
        "name": "Änne", "inviter": "Olivia", "organisation": "Süd\r\nBcc: evil@example.com", "role": "Rolle",
        "until": 1_795_374_000_000_000_i64,
    });
    let mails: Vec<NewMail> = recipients
        .iter()
        .map(|recipient| NewMail {
            recipient: (*recipient).to_owned(),
            language: language.to_owned(),
            kind: MailKind::Invitation,
            data: data.clone(),
            link: Some("/invitation?token=s3cr3t".to_owned()),
            ends_at: None,
        })
        .collect();
    let mut tx = world.app.store.write(&scope).await.unwrap();
    mails::queue(&mut tx, &scope, &mails, &world.app.ambient).await.unwrap();
    tx.commit().await.unwrap();
    world.app.wake();
}

/// The mail to this address as the operator sees it, once it is so.
async fn seen(world: &World, recipient: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually("the operator sees it", async || {
        let list = world.operator.get("mails").await.expect(200);
        assert!(!list.to_string().contains("s3cr3t") && !list.to_string().contains("Süd"), "{list}");
        let items = list["items"].as_array().unwrap();
        items.iter().find(|mail| mail["recipient"] == recipient && is_so(mail)).cloned()
    })
    .await
}

#[rstest]
#[tokio::test]
async fn a_mail_is_sent_in_its_readers_language_and_its_link_is_forgotten(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(kind, "mailsent", catcher.config("")).await;
    queue(&world, &["anna@example.com"], "de").await;
    let mail = catcher.next().await;
    assert_eq!(mail["to"], json!(["anna@example.com"]));
    assert_eq!(mail["from"], "no-reply@roadstead.example");
    let headers = &mail["headers"];
    assert_eq!(headers["subject"], "Ihre Einladung zu Süd  Bcc: evil@example.com");
    assert_eq!(headers["auto-submitted"], "auto-generated");
    assert_eq!(headers["date"], "Sun, 22 Nov 2026 12:00:00 +0000");
    assert!(headers.get("bcc").is_none());
    let link = format!("{}/invitation?token=s3cr3t", world.url);
    let text = mail["text"].as_str().unwrap();
    assert!(
        text.starts_with("Guten Tag Änne,") && text.contains(&link) && text.contains("22.11.2026, 19:00")
    );
    assert!(mail["html"].as_str().unwrap().contains(&format!("href=\"{link}\"")));

    let sent = seen(&world, "anna@example.com", |mail| mail["state"] == "sent").await;
    assert_eq!(headers["message-id"], format!("<{}@127.0.0.1>", sent["id"].as_str().unwrap()));
    let mut tx = world.app.store.read(&access::system()).await.unwrap();
    let links = tx.number("SELECT COUNT(*) FROM mails WHERE link IS NOT NULL", vec![]).await.unwrap();
    assert_eq!(links, 0);
}

#[tokio::test]
async fn a_mail_that_is_put_off_is_tried_again_and_one_that_is_refused_is_not() {
    let mut catcher = Catcher::start(&["--login"]).await;
    let world = World::with(Sqlite, "mailagain", catcher.config("roadstead:hush@")).await;
    queue(&world, &["later@example.com", "never@example.com", "no address"], "en").await;
    let put_off =
        seen(&world, "later@example.com", |mail| mail["attempts"] == 1 && !mail["last_error"].is_null())
            .await;
    assert_eq!(put_off["state"], "queued");
    assert!(put_off["last_error"].as_str().unwrap().contains("451"), "{put_off}");
    let refused = seen(&world, "never@example.com", |mail| mail["state"] == "failed").await;
    assert!(refused["last_error"].as_str().unwrap().contains("no such mailbox"), "{refused}");
    seen(&world, "no address", |mail| mail["state"] == "failed").await;

    world.clock.step_seconds(31);
    world.app.wake();
    assert_eq!(catcher.next().await["to"], json!(["later@example.com"]));
    assert_eq!(seen(&world, "later@example.com", |mail| mail["state"] == "sent").await["attempts"], 2);
}

#[tokio::test]
async fn mails_wait_for_a_mail_server_and_end_in_time() {
    // Nobody listens there.
    let nowhere = MailServer { url: "smtp://127.0.0.1:1".to_owned(), from: "a@example.com".to_owned() };
    let config = Config { mail: Some(nowhere), ..Config::default() };
    let world = World::with(Sqlite, "mailwaits", config).await;
    queue(&world, &["anna@example.com"], "en").await;
    let waiting = seen(&world, "anna@example.com", |mail| !mail["last_error"].is_null()).await;
    assert_eq!((&waiting["state"], &waiting["done_at"]), (&json!("queued"), &Value::Null));
    world.clock.step_seconds(4 * 24 * 3600);
    world.app.wake();
    seen(&world, "anna@example.com", |mail| mail["state"] == "failed").await;

    // Without any the operator is told so; a wrong password is no reason to give a mail up.
    let without = World::start(Sqlite, "mailnone").await;
    queue(&without, &["anna@example.com"], "en").await;
    let list = without.operator.get("mails").await.expect(200);
    assert_eq!((&list["mail_server"], &list["queued"]), (&json!(false), &json!(1)));
    let catcher = Catcher::start(&["--login"]).await;
    let locked_out = World::with(Sqlite, "mailauth", catcher.config("roadstead:wrong@")).await;
    queue(&locked_out, &["anna@example.com"], "en").await;
    let waiting = seen(&locked_out, "anna@example.com", |mail| !mail["last_error"].is_null()).await;
    assert_eq!(waiting["state"], "queued", "{waiting}");
}

#[rstest]
#[tokio::test]
async fn a_partner_may_queue_mails_and_read_none(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "mailpartner").await;
    let partner = world.partner("R-1").await;
    let refused = partner.get("mails").await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let id = world.operator.get("partners/R-1").await.expect(200)["id"].as_str().unwrap().parse().unwrap();
    let caller = access::Caller {
        actor: access::Actor::System,
        role: Role::PartnerAdmin,
        home: access::Home::Partner(id),
    };
    let scope = access::authorize(&caller, access::Action::ReadUnassigned).unwrap();
    let mut tx = world.app.store.write(&scope).await.unwrap();
    let mail = NewMail {
        recipient: "anna@example.com".to_owned(),
        language: "en".to_owned(),
        kind: MailKind::PasswordReset,
        data: json!({ "name": "Anna", "until": 0 }),
        link: None,
        ends_at: None,
    };
    mails::queue(&mut tx, &scope, &[mail], &world.app.ambient).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.app.store.read(&scope).await.unwrap();
    assert!(mails::queued(&mut tx, &scope).await.is_err());
    drop(tx);
    assert_eq!(world.operator.get("mails").await.expect(200)["queued"], 1);
}
