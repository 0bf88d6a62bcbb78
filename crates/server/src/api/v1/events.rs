//! Live events of one's own home, resumable by `Last-Event-ID`.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use roadstead_domain::access::{Action, Scope, system};
use roadstead_domain::event::is_told;
use roadstead_store::outbox::{self, Stored};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::app::App;
use crate::http::{ApiCaller, Credential, Problem};

/// How often an open stream makes sure that its credential still holds.
const CHECK: Duration = Duration::from_secs(15);

struct Following {
    app: App,
    scope: Scope,
    credential: Credential,
    heard: Receiver<Stored>,
    missed: VecDeque<Stored>,
    last: i64,
}

/// Follow live events. The stream ends when the token is revoked or the session ends.
#[utoipa::path(get, path = "/events", tag = "events", responses((status = 200, content_type = "text/event-stream")))]
pub(super) async fn follow(
    State(app): State<App>,
    caller: ApiCaller,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Problem> {
    let scope = caller.may(Action::FollowEvents)?;
    let heard = app.hub.listen();
    let resume = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let mut missed = VecDeque::new();
    let mut tx = app.store.read(&system()).await?;
    let last = match resume {
        Some(seq) => {
            missed.extend(outbox::after(&mut tx, &system(), seq, 1000).await?);
            seq
        }
        None => outbox::newest(&mut tx, &system()).await?,
    };
    tx.commit().await?;
    let start = Following { app, scope, credential: caller.credential, heard, missed, last };
    let hello = stream::iter([Ok(Event::default().comment("following"))]);
    let events = stream::unfold(start, |mut state| async move {
        let event = state.next().await?;
        Some((event, state))
    });
    let events = futures_util::StreamExt::chain(hello, events);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

impl Following {
    /// The next event that this scope is told; `None` once the credential no longer holds.
    async fn next(&mut self) -> Option<Result<Event, axum::Error>> {
        loop {
            let stored = match self.missed.pop_front() {
                Some(stored) => stored,
                None => match tokio::time::timeout(CHECK, self.hear()).await {
                    Ok(Ok(stored)) => stored,
                    Ok(Err(RecvError::Lagged(_))) => {
                        self.catch_up().await?;
                        continue;
                    }
                    Ok(Err(RecvError::Closed)) => return None,
                    Err(_) => {
                        if !self.credential.holds(&self.app).await {
                            return None;
                        }
                        continue;
                    }
                },
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

    /// The next event of anybody; a server that stops has no more.
    async fn hear(&mut self) -> Result<Stored, RecvError> {
        tokio::select! {
            () = self.app.closing.cancelled() => Err(RecvError::Closed),
            heard = self.heard.recv() => heard,
        }
    }

    async fn catch_up(&mut self) -> Option<()> {
        let mut tx = self.app.store.read(&system()).await.ok()?;
        self.missed.extend(outbox::after(&mut tx, &system(), self.last, 1000).await.ok()?);
        Some(())
    }
}
