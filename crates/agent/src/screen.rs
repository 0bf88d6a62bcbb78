//! The pop-up on a screen: a process of its own in the session of whoever sits there, which outlives a restart of the
//! agent. It knows two secrets of one pop-up and nothing else of the PC.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use notify_rust::{CloseReason, NotificationResponse};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use crate::platform::{Platform, This};
use crate::record::digest;
use crate::texts::Lang;

#[cfg(all(unix, not(target_os = "macos")))]
mod desktop;
#[cfg(any(windows, target_os = "macos"))]
mod toast;

#[cfg(all(unix, not(target_os = "macos")))]
use desktop::stand;
#[cfg(any(windows, target_os = "macos"))]
use toast::stand;

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

/// What became of a pop-up.
enum Answer {
    /// Its user wants to see more.
    View,
    /// Its user wants to see it later.
    Later,
    /// Its user took it away.
    Dismissed,
    /// It left the screen by itself.
    Gone,
}

impl Answer {
    /// Of what the system says.
    fn of(response: &NotificationResponse) -> Self {
        match response {
            NotificationResponse::Action(button) if button == "view" => Self::View,
            NotificationResponse::Action(button) if button == "later" => Self::Later,
            NotificationResponse::Closed(CloseReason::CloseAction) => Self::Gone,
            _ => Self::Dismissed,
        }
    }
}

/// The process: shows the pop-up and stays until it is gone.
pub async fn run(shown: Shown) -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build()?;
    let agent = Agent { http, origin: shown.origin.clone(), secret: shown.screen.clone() };
    match stand(&shown, &agent).await? {
        Answer::View => {
            let address = format!("{}/{}", shown.origin, shown.view);
            tokio::task::spawn_blocking(move || This.show(&address)).await?
        }
        Answer::Later => {
            agent.say("later").await;
            Ok(())
        }
        Answer::Dismissed => {
            agent.say("dismissed").await;
            Ok(())
        }
        Answer::Gone => Ok(()),
    }
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
}
