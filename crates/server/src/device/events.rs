//! The channel of a PC: server-sent events, resumable by `Last-Event-ID`, on any node. The tables are the truth; a
//! notification only wakes the channel to look.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use roadstead_domain::access;
use roadstead_domain::ids::DeviceId;
use roadstead_domain::wire::pop_up::Settings;

use super::signed::{Signed, paced};
use crate::app::App;
use crate::events::Watched;
use crate::flows::Refused;
use crate::flows::pop_ups::{News, Told, news};
use crate::http::{Problem, VisitorLang};
use crate::i18n::Lang;

/// An open channel looks at least so often, whatever it hears: notifications may be lost, and keys are replaced.
const LOOK: Duration = Duration::from_secs(60);

struct Channel {
    app: App,
    lang: Lang,
    key: String,
    device: DeviceId,
    last: Option<i64>,
    settings: Option<Settings>,
    ready: VecDeque<Event>,
    watched: Watched,
}

/// `GET events`, signed by an enrolled PC's key. It ends when the key is replaced or the server stops.
pub(super) async fn follow(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    request: Request,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Problem> {
    let last = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let signed = Signed::receive(&app, request).await?;
    let (key, once) = signed.verify_enrolled(&app).await?;
    paced(&app, &app.channels, &key)?;
    let mut tx = app.store.write(&access::system()).await?;
    let device = crate::flows::pop_ups::speaking(&mut tx, &key, once).await?;
    tx.commit().await?;
    // Watched before the first look, so that nothing falls between.
    let watched = app.hub.watch(device);
    let mut channel =
        Channel { app, lang, key, device, last, settings: None, ready: VecDeque::new(), watched };
    if !channel.look().await.map_err(Refused::from)? {
        return Err(Refused::UnknownKey.into());
    }
    let hello = stream::iter([Ok(Event::default().comment("following"))]);
    let events = stream::unfold(channel, |mut channel| async move {
        let event = channel.next().await?;
        Some((Ok(event), channel))
    });
    Ok(Sse::new(hello.chain(events)).keep_alive(KeepAlive::default()))
}

impl Channel {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            tokio::select! {
                () = self.app.closing.cancelled() => return None,
                () = self.watched.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            // In a box, so that a waiting channel holds no room for what looking needs.
            match Box::pin(self.look()).await {
                Ok(true) => {}
                Ok(false) => return None,
                // The agent comes back and goes on where it was.
                Err(error) => {
                    tracing::warn!(%error, "the channel of a PC cannot be read");
                    return None;
                }
            }
        }
    }

    /// Reads what is new; `false` once the key is not the PC's any more.
    async fn look(&mut self) -> roadstead_store::Result<bool> {
        let found = news(&self.app, self.lang, &self.key, self.device, self.last).await?;
        let Some(News { settings, told, position }) = found else { return Ok(false) };
        let from = self.last.unwrap_or(position);
        let event = |seq: i64, name: &str| Event::default().id(seq.to_string()).event(name);
        let mut ready = Vec::new();
        if self.settings != Some(settings) {
            // What comes after it is still to be told: it carries the number of before.
            let before = if told.is_empty() { from } else { self.last.unwrap_or(0) };
            ready.push(event(before, "settings").json_data(settings));
            self.settings = Some(settings);
        }
        for (seq, news) in &told {
            ready.push(match news {
                Told::PopUp(pop_up) => event(*seq, "pop_up").json_data(pop_up),
                Told::Withdraw(withdraw) => event(*seq, "withdraw").json_data(withdraw),
                Told::Case(case) => event(*seq, "case").json_data(case),
            });
        }
        self.last = Some(told.last().map_or(from, |(seq, _)| from.max(*seq)));
        for event in ready {
            match event {
                Ok(event) => self.ready.push_back(event),
                Err(error) => tracing::error!(%error, "an event of a PC cannot be written"),
            }
        }
        Ok(true)
    }
}
