//! A pop-up on a desktop with the notification service of freedesktop.org: Linux and its like.

use anyhow::Context;
use notify_rust::{Notification, Timeout};

use super::{Agent, Answer, Buttons, Shown, Words};

/// Shows it until its user answers or the agent takes it away.
pub(super) async fn stand(shown: &Shown, agent: &Agent) -> anyhow::Result<Answer> {
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
        notification.urgency(notify_rust::Urgency::Critical);
        notification.action("later", &shown.lang.text("later"));
    }
    let mut handle = notification.show_async().await.context("the notification service refuses")?;
    agent.say("displayed").await;
    let mut words = shown.words.clone();
    // Some desktops take a notification away together with the connection that it came by.
    let mut replaced = Vec::new();
    loop {
        let mut answer = None;
        let changed = tokio::select! {
            () = handle.wait_for_action_async(|response| answer = Some(Answer::of(response))) => None,
            changed = agent.changed(&words) => changed,
        };
        let Some(changed) = changed else {
            if answer.is_none() {
                handle.close_async().await;
            }
            return Ok(answer.unwrap_or(Answer::Gone));
        };
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
    }
}

/// Gives a notification its words. A name with `<` in it is text, on desktops that read markup and on those that do not.
fn say(notification: &mut Notification, words: &Words, reads_markup: bool) {
    let body = if reads_markup { escaped(&words.body) } else { words.body.clone() };
    notification.summary(&words.summary).body(&body);
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
