//! Live events of one's own home, resumable by `Last-Event-ID`.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use roadstead_domain::access::{Action, Scope, system};
use roadstead_domain::event::is_told;
use roadstead_store::outbox::{self, Stored};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior};
use utoipa::IntoParams;

use crate::app::App;
use crate::http::{ApiCaller, Credential, Problem};

/// How often an open stream makes sure that its credential still holds.
const CHECK: Duration = Duration::from_secs(15);

struct Following {
    app: App,
    scope: Scope,
    credential: Credential,
    heard: Receiver<Stored>,
    check: Interval,
    missed: VecDeque<Stored>,
    /// Whether the outbox may hold more after `missed`.
    behind: bool,
    last: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FollowQuery {
    /// The stream begins after the event of this number, where no `Last-Event-ID` says another one.
    after: Option<i64>,
}

/// Follow live events. The stream ends when the token is revoked or the session ends.
#[utoipa::path(
    get, path = "/events", tag = "events", params(FollowQuery),
    responses((status = 200, content_type = "text/event-stream"))
)]
pub(super) async fn follow(
    State(app): State<App>,
    caller: ApiCaller,
    Query(query): Query<FollowQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Problem> {
    let scope = caller.may(Action::FollowEvents)?;
    let heard = app.hub.listen();
    let resume = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let last = match resume.or(query.after) {
        Some(seq) => seq,
        None => outbox::newest(&mut app.store.read(&system()).await?, &system()).await?,
    };
    let mut check = tokio::time::interval(CHECK);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let credential = caller.credential;
    let start =
        Following { app, scope, credential, heard, check, missed: VecDeque::new(), behind: true, last };
    let hello = stream::iter([Ok(Event::default().comment("following"))]);
    let events = stream::unfold(start, |mut state| async move {
        let event = state.next().await?;
        Some((event, state))
    });
    let events = futures_util::StreamExt::chain(hello, events);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

impl Following {
    /// The next event that this scope is told; `None` once the credential no longer holds or the server stops.
    async fn next(&mut self) -> Option<Result<Event, axum::Error>> {
        loop {
            if self.missed.is_empty() && self.behind {
                self.catch_up().await?;
            }
            let stored = match self.missed.pop_front() {
                Some(stored) => stored,
                None => self.hear().await?,
            };
            if stored.seq <= self.last {
                continue;
            }
            self.last = stored.seq;
            if is_told(self.scope.reach(), stored.home, &stored.event) {
                let event = Event::default().id(stored.seq.to_string()).event(stored.event.name());
                return Some(event.json_data(&stored.event));
            }
        }
    }

    /// The next event of anybody. The credential is looked at however much there is to hear.
    async fn hear(&mut self) -> Option<Stored> {
        loop {
            tokio::select! {
                biased;
                () = self.app.closing.cancelled() => return None,
                _ = self.check.tick() => {
                    if !self.credential.holds(&self.app).await {
                        return None;
                    }
                }
                heard = self.heard.recv() => match heard {
                    Ok(stored) => return Some(stored),
                    Err(RecvError::Closed) => return None,
                    Err(RecvError::Lagged(_)) => {
                        self.behind = true;
                        self.catch_up().await?;
                        if let Some(stored) = self.missed.pop_front() {
                            return Some(stored);
                        }
                    }
                },
            }
        }
    }

    /// Reads on in the outbox after the last event seen, a page at a time.
    async fn catch_up(&mut self) -> Option<()> {
        const PAGE: usize = 1000;
        let mut tx = self.app.store.read(&system()).await.ok()?;
        let page = outbox::after(&mut tx, &system(), self.last, PAGE as i64).await.ok()?;
        self.behind = page.len() == PAGE;
        self.missed.extend(page);
        Some(())
    }
}
