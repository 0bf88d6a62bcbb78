//! Live events: a dispatcher reads the outbox and tells each open page what its home may know.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use roadstead_domain::access;
use roadstead_domain::event::Event;
use roadstead_domain::ids::DeviceId;
use roadstead_store::engine::News;
use roadstead_store::outbox::{self, Stored};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// Hands events of the outbox to whoever listens.
pub struct Hub {
    sender: broadcast::Sender<Stored>,
    wake: Notify,
    devices: Arc<Mutex<Watchers>>,
    position: AtomicI64,
}

/// The open channels of PCs, by PC.
type Watchers = HashMap<DeviceId, Vec<Arc<Notify>>>;

/// An open channel of a PC; it is forgotten when dropped.
pub struct Watched {
    device: DeviceId,
    notify: Arc<Notify>,
    devices: Arc<Mutex<Watchers>>,
}

impl Watched {
    /// Waits until there may be something new for the PC.
    pub async fn changed(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // A poisoned map still says who listens.
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watchers) = devices.get_mut(&self.device) {
            watchers.retain(|other| !Arc::ptr_eq(other, &self.notify));
            if watchers.is_empty() {
                devices.remove(&self.device);
            }
        }
    }
}

impl Default for Hub {
    fn default() -> Self {
        // A page that lags behind by more than this is told to look anew.
        let (sender, wake) = (broadcast::Sender::new(1024), Notify::new());
        Self { sender, wake, devices: Arc::default(), position: AtomicI64::new(0) }
    }
}

impl Hub {
    /// Says that the outbox has something.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Watches what comes for a PC.
    pub fn watch(&self, device: DeviceId) -> Watched {
        let notify = Arc::new(Notify::new());
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        devices.entry(device).or_default().push(notify.clone());
        Watched { device, notify, devices: self.devices.clone() }
    }

    /// The number of the last event that was passed on: whoever reads the database from now on sees what it tells of, and
    /// the ones before it.
    pub fn position(&self) -> i64 {
        self.position.load(Ordering::Acquire)
    }

    fn stand_at(&self, seq: i64) {
        self.position.store(seq, Ordering::Release);
    }

    fn tell(&self, stored: Stored) {
        self.stand_at(stored.seq);
        if let Event::DeviceChanged { device } = stored.event {
            let devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
            for watcher in devices.get(&device).into_iter().flatten() {
                watcher.notify_one();
            }
            return;
        }
        // Nobody listening is no error.
        let _ = self.sender.send(stored);
    }

    /// Every event from now on, of every home: the listener keeps what its scope is told.
    pub fn listen(&self) -> broadcast::Receiver<Stored> {
        self.sender.subscribe()
    }
}

/// Takes what the outbox holds by now for passed on. Comes before pages are handed out and events dispatched.
pub async fn begin(app: &App) -> roadstead_store::Result<()> {
    let scope = access::system();
    let mut tx = app.store.read(&scope).await?;
    app.hub.stand_at(outbox::newest(&mut tx, &scope).await?);
    Ok(())
}

/// Reads the outbox until told to stop: at once when woken, else once a second.
pub async fn dispatch(app: App, stop: CancellationToken) {
    let scope = access::system();
    loop {
        match forward(&app, &scope).await {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "the outbox could not be read"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.hub.wake.notified() => {}
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
        }
    }
}

async fn forward(app: &App, scope: &access::Scope) -> roadstead_store::Result<()> {
    let mut tx = app.store.read(scope).await?;
    loop {
        let events = outbox::after(&mut tx, scope, app.hub.position(), 500).await?;
        let full = events.len() == 500;
        for stored in events {
            app.hub.tell(stored);
        }
        if !full {
            return Ok(());
        }
    }
}

/// Passes on what other nodes commit, until told to stop. Where the database has one node only, there is nothing to do.
pub async fn listen(app: App, stop: CancellationToken) {
    loop {
        let heard = async {
            let Some(mut wakeups) = app.store.listen().await? else { return Ok(()) };
            let mut news = None;
            loop {
                // What came while nobody listened is found by looking.
                match news {
                    Some(News::Events) => app.hub.wake(),
                    Some(News::Work) => app.wake_workers(),
                    None => app.wake(),
                }
                news = wakeups.next().await?;
            }
        };
        let ended: roadstead_store::Result<()> = tokio::select! {
            () = stop.cancelled() => return,
            ended = heard => ended,
        };
        match ended {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "other nodes cannot be heard; trying again"),
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}
