//! The pop-up on a screen: a process of its own in the session of whoever sits there, which outlives a restart of the
//! agent. It knows two secrets of one pop-up and nothing else of the PC.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use notify_rust::{CloseReason, Notification, NotificationResponse, Timeout};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use crate::platform::{Platform, This};
use crate::record::digest;
use crate::texts::Lang;

/// For so many seconds without an agent a pop-up stays: an update or a crash is over by then.
const ALONE_SECONDS: u32 = 600;

/// Which buttons there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Buttons {
    /// Of a pop-up.
    ViewAndLater,
    /// Of news about a case.
    View,
}

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The first line.
    pub summary: String,
    /// The rest.
    pub body: String,
}

impl Words {
    /// By what the agent is told which words stand on the screen.
    pub(crate) fn digest(&self) -> String {
        digest(&format!("{}\n{}", self.summary, self.body))
    }
}

/// What becomes of a pop-up that is on a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// It stays as it is.
    AsItIs,
    /// It stays, and says this from now on.
    Saying(Words),
    /// It leaves the screen.
    NoMore,
}

impl Stands {
    /// As the agent tells it to the process.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        Ok(match self {
            Self::AsItIs => "open".to_owned(),
            Self::Saying(words) => serde_json::to_string(words)?,
            Self::NoMore => "closed".to_owned(),
        })
    }

    fn read(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "open" => Self::AsItIs,
            "closed" => Self::NoMore,
            words => Self::Saying(serde_json::from_str(words)?),
        })
    }
}

/// What the process is told, on its standard input: arguments could be read by others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    /// What it says.
    pub words: Words,
    /// The buttons.
    pub buttons: Buttons,
    /// The language of the buttons.
    pub lang: Lang,
    /// Where the agent's own pages are.
    pub origin: String,
    /// The secret by which it says what became of the pop-up.
    pub screen: String,
    /// The secret that opens the form.
    pub view: String,
}

/// Starts the process by this command and waits for its end; an error means that nothing was shown.
pub(crate) async fn start(command: Command, shown: &Shown) -> anyhow::Result<()> {
    let mut command = tokio::process::Command::from(command);
    command.arg("pop-up").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().context("the pop-up's process cannot be started")?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(&serde_json::to_vec(shown)?).await?;
    drop(stdin);
    ensure!(child.wait().await?.success(), "its process could not show it");
    Ok(())
}

/// The process: shows the pop-up and stays until it is gone.
pub async fn run(shown: Shown) -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build()?;
    let agent = Agent { http, origin: shown.origin.clone(), secret: shown.screen.clone() };
    let capabilities = tokio::task::spawn_blocking(notify_rust::get_capabilities).await?;
    let capabilities = capabilities.context("no notification service")?;
    let has = |name: &str| capabilities.iter().any(|capability| capability == name);
    if !has("actions") {
        tracing::warn!("this desktop's notifications have no buttons");
    }
    let reads_markup = has("body-markup");
    let mut notification = Notification::new();
    say(&mut notification, &shown.words, reads_markup);
    notification
        .appname("Roadstead")
        .icon("dialog-warning")
        .timeout(Timeout::Never)
        .action("view", &shown.lang.text("view"));
    if shown.buttons == Buttons::ViewAndLater {
        #[cfg(all(unix, not(target_os = "macos")))]
        notification.urgency(notify_rust::Urgency::Critical);
        notification.action("later", &shown.lang.text("later"));
    }
    let mut handle = notification.show_async().await.context("the notification service refuses")?;
    agent.say("displayed").await;
    let mut words = shown.words.clone();
    // Some desktops take a notification away together with the connection that it came by.
    let mut replaced = Vec::new();
    let response = loop {
        let mut response = None;
        let changed = tokio::select! {
            () = handle.wait_for_action_async(|answer| response = Some(answer.clone())) => None,
            changed = agent.changed(&words) => changed,
        };
        let Some(changed) = changed else { break response };
        say(&mut notification, &changed, reads_markup);
        words = changed;
        match notification.id(handle.id()).show_async().await {
            Ok(next) => {
                // A desktop that replaces nothing shows another one.
                if next.id() != handle.id() {
                    handle.close_async().await;
                }
                replaced.push(std::mem::replace(&mut handle, next));
            }
            Err(error) => tracing::warn!("a pop-up that stands keeps its words: {error}"),
        }
    };
    match response {
        Some(NotificationResponse::Action(button)) if button == "view" => {
            let address = format!("{}/{}", shown.origin, shown.view);
            tokio::task::spawn_blocking(move || This.show(&address)).await?
        }
        Some(NotificationResponse::Action(button)) if button == "later" => {
            agent.say("later").await;
            Ok(())
        }
        Some(NotificationResponse::Closed(CloseReason::CloseAction)) => Ok(()),
        Some(_) => {
            agent.say("dismissed").await;
            Ok(())
        }
        None => {
            handle.close_async().await;
            Ok(())
        }
    }
}

/// Gives a notification its words. A name with `<` in it is text, on desktops that read markup and on those that do not.
fn say(notification: &mut Notification, words: &Words, reads_markup: bool) {
    let body = if reads_markup { escaped(&words.body) } else { words.body.clone() };
    notification.summary(&words.summary).body(&body);
}

/// The agent, as this process sees it.
struct Agent {
    http: reqwest::Client,
    origin: String,
    secret: String,
}

impl Agent {
    /// Tells the agent; while it restarts, again.
    async fn say(&self, what: &str) {
        for _ in 0..30 {
            let address = format!("{}/{}/{what}", self.origin, self.secret);
            let request = self.http.post(address).header("origin", &self.origin);
            if request.send().await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tracing::warn!("the agent is not there to hear of {what}");
    }

    /// Waits until the pop-up has to say something else than these words; nothing once it has to leave the screen.
    async fn changed(&self, words: &Words) -> Option<Words> {
        let mut alone = 0;
        while alone < ALONE_SECONDS {
            match self.watch(words).await {
                Ok(Stands::AsItIs) => alone = 0,
                Ok(Stands::Saying(words)) => return Some(words),
                Ok(Stands::NoMore) => return None,
                Err(_) => {
                    alone += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        None
    }

    /// Waits for a while; what becomes of the pop-up, which says these words.
    async fn watch(&self, words: &Words) -> anyhow::Result<Stands> {
        let address = format!("{}/{}/watch?shown={}", self.origin, self.secret, words.digest());
        let answer = self.http.get(address).send().await?;
        match answer.status().as_u16() {
            200 => Stands::read(&answer.text().await?),
            404 => Ok(Stands::NoMore),
            other => bail!("{other}"),
        }
    }
}

/// Text for a desktop that reads markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_reads_what_the_agent_writes() {
        let words = Words { summary: "open".to_owned(), body: "Hafen & \"Söhne\"".to_owned() };
        for stands in [Stands::AsItIs, Stands::NoMore, Stands::Saying(words)] {
            assert_eq!(Stands::read(&stands.text().unwrap()).unwrap(), stands);
        }
        assert!(Stands::read("<html>").is_err());
    }

    #[test]
    fn a_name_is_never_markup() {
        assert_eq!(escaped("Hafen & Söhne <b>"), "Hafen &amp; Söhne &lt;b&gt;");
    }
}
