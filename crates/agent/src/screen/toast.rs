//! A pop-up on Windows or macOS. The library can neither change nor take away what stands there: words stay as they were, and
//! once the agent has taken the pop-up back a press on it does nothing. Compiled for Windows, where nobody has
//! seen it; never compiled for macOS.

use anyhow::Context;
use notify_rust::{Notification, Timeout};
use tokio::sync::oneshot;

use super::{Agent, Answer, Buttons, Shown};

/// Shows it until its user answers or the agent takes it away.
pub(super) async fn stand(shown: &Shown, agent: &Agent) -> anyhow::Result<Answer> {
    let mut notification = Notification::new();
    notification.summary(&shown.words.summary).body(&shown.words.body).appname("Roadstead");
    notification.timeout(Timeout::Never).action("view", &shown.lang.text("view"));
    if shown.buttons == Buttons::ViewAndLater {
        notification.action("later", &shown.lang.text("later"));
    }
    let (tell, mut told) = oneshot::channel();
    let (show, displayed) = oneshot::channel();
    // What waits for the user holds a thread for as long as that takes; the process ends without it.
    std::thread::spawn(move || match notification.show() {
        Ok(handle) => {
            let _ = show.send(Ok(()));
            let _ = handle.wait_for_response(|response: &notify_rust::NotificationResponse| {
                let _ = tell.send(Answer::of(response));
            });
        }
        Err(error) => {
            let _ = show.send(Err(error));
        }
    });
    displayed.await?.context("the system shows no notification")?;
    agent.say("displayed").await;
    let mut words = shown.words.clone();
    loop {
        tokio::select! {
            answer = &mut told => return Ok(answer.unwrap_or(Answer::Gone)),
            changed = agent.changed(&words) => match changed {
                Some(changed) => words = changed,
                None => return Ok(Answer::Gone),
            },
        }
    }
}
