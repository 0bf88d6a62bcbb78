//! The pop-up on a screen: a process of its own in the session of whoever sits there, which outlives a restart of the
//! agent. It knows two secrets of one pop-up and nothing else of the PC.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use notify_rust::{CloseReason, Notification, NotificationResponse, Timeout};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use crate::platform::{Platform, This};
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

/// What the process is told, on its standard input: arguments could be read by others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    /// The first line.
    pub summary: String,
    /// The rest.
    pub body: String,
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
    // A name with `<` in it is text, on desktops that read markup and on those that do not.
    let body = if has("body-markup") { escaped(&shown.body) } else { shown.body.clone() };
    let mut notification = Notification::new();
    notification
        .appname("Roadstead")
        .summary(&shown.summary)
        .body(&body)
        .icon("dialog-warning")
        .timeout(Timeout::Never)
        .action("view", &shown.lang.text("view"));
    if shown.buttons == Buttons::ViewAndLater {
        #[cfg(all(unix, not(target_os = "macos")))]
        notification.urgency(notify_rust::Urgency::Critical);
        notification.action("later", &shown.lang.text("later"));
    }
    let handle = notification.show_async().await.context("the notification service refuses")?;
    agent.say("displayed").await;
    let mut response = None;
    tokio::select! {
        () = handle.wait_for_action_async(|answer| response = Some(answer.clone())) => {}
        () = agent.closes() => {}
    }
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

    /// Ends when the pop-up has to leave the screen.
    async fn closes(&self) {
        let mut alone = 0;
        while alone < ALONE_SECONDS {
            match self.watch().await {
                Ok(true) => alone = 0,
                Ok(false) => return,
                Err(_) => {
                    alone += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Waits for a while; whether the pop-up may still stand.
    async fn watch(&self) -> anyhow::Result<bool> {
        let answer = self.http.get(format!("{}/{}/watch", self.origin, self.secret)).send().await?;
        match answer.status().as_u16() {
            200 => Ok(answer.text().await? == "open"),
            404 => Ok(false),
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
    fn a_name_is_never_markup() {
        assert_eq!(escaped("Hafen & Söhne <b>"), "Hafen &amp; Söhne &lt;b&gt;");
    }
}
