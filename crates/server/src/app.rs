//! What handlers, flows and jobs share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, rng};
use roadstead_domain::clock::{Ambient, Clock, Entropy, Micros};
use roadstead_store::Store;
use roadstead_store::sessions::Session;
use roadstead_store::tokens::Token;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::drop_folder::DropFolder;
use crate::events::Hub;
use crate::flows::check_in::Desk;
use crate::jobs::RUNNERS;
use crate::mail::MailServer;
use crate::paces::Paces;
use crate::pools::Pools;
use crate::together::Together;

/// What the operator of the platform can set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether browsers reach the platform by https: cookies are then `__Host-` and Secure.
    pub https: bool,
    /// The most bytes of an upload.
    pub upload_bytes: u64,
    /// Lines of a report judged in one transaction.
    pub batch_lines: usize,
    /// So many batches are one transaction of the embedded database while nobody else waits to write.
    pub most_batches: usize,
    /// Proxies of ours in front, each of which appends to `X-Forwarded-For` whom it heard from.
    pub proxies: usize,
    /// Where mails go; without it they wait.
    pub mail: Option<MailServer>,
    /// The address that browsers use, for links in mails.
    pub public_url: String,
    /// Where the agent's program lies, for PCs to fetch.
    pub agents: PathBuf,
    /// Report lines are forgotten after so many months; `None` keeps them for ever.
    pub keep_line_months: Option<u32>,
    /// Closed alerts, pop-ups and closed repair cases are forgotten after so many months; `None` keeps them for ever.
    pub keep_repair_months: Option<u32>,
    /// What a file may hold.
    pub file: roadstead_ingest::Limits,
    /// Which segment of a message carries what.
    pub edi_maps: roadstead_ingest::EdiMaps,
    /// Where reporters put files; without it they come by HTTP alone.
    pub drop: Option<DropFolder>,
    /// So many check-ins of one PC may come at once before it is slowed.
    pub check_ins_at_once: u32,
    /// Whether outside desks may stand in a network of one's own, and be called without TLS.
    pub private_outside_desks: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            https: false,
            upload_bytes: 1 << 30,
            batch_lines: 10_000,
            most_batches: 10,
            proxies: 0,
            mail: None,
            public_url: "http://localhost:8080".to_owned(),
            agents: beside_this_program(),
            keep_line_months: None,
            keep_repair_months: None,
            file: roadstead_ingest::Limits::default(),
            edi_maps: roadstead_ingest::EdiMaps::default(),
            drop: None,
            check_ins_at_once: 30,
            private_outside_desks: false,
        }
    }
}

/// The directory in which this program lies.
fn beside_this_program() -> PathBuf {
    let program = std::env::current_exe().ok();
    program.and_then(|program| program.parent().map(PathBuf::from)).unwrap_or_default()
}

/// The running platform. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// See [`App`].
pub struct Shared {
    /// The database.
    pub store: Store,
    /// Time and randomness.
    pub ambient: Ambient,
    /// What the operator set.
    pub config: Config,
    /// Where uploads wait until the database has them.
    pub spool: PathBuf,
    /// Tells live pages.
    pub hub: Hub,
    /// The pools that somebody filters, in memory.
    pub pools: Pools,
    /// Where check-ins wait for the transaction under way.
    pub desk: Desk,
    /// How fast PCs call, besides checking in.
    pub calls: Paces,
    /// How fast they open their channels, apart from that: whatever else a PC does, its channel comes back.
    pub channels: Paces,
    /// Passwords hashed at a time: each takes 19 MiB and a core.
    pub hashing: Semaphore,
    /// Tokens that are looked up at this moment, by their hash.
    pub tokens: Together<[u8; 32], Option<Token>>,
    /// Sessions that are looked up at this moment, by their secret's hash.
    pub sessions: Together<[u8; 32], Option<Session>>,
    /// When the use of a credential was last noted.
    noted: Mutex<HashMap<Uuid, Micros>>,
    /// Cancelled when the server stops: open streams then end.
    pub closing: CancellationToken,
    /// Wakes the runner of jobs and the dispatcher of events. Polling is the truth, this only saves waiting.
    pub work: Notify,
    /// How many runners may wait for outside desks at a time: not all of them.
    pub forwards: Semaphore,
    /// Wakes the sender of mails in the same way.
    pub mails: Notify,
}

impl App {
    /// Puts a platform together; nothing runs yet.
    pub fn new(store: Store, ambient: Ambient, config: Config, spool: PathBuf) -> Self {
        let (hub, closing) = (Hub::default(), CancellationToken::new());
        let (work, mails) = (Notify::new(), Notify::new());
        let (pools, hashing, noted) = (Pools::default(), Semaphore::new(2), Mutex::default());
        let forwards = Semaphore::new(RUNNERS - 1);
        let (desk, tokens, sessions) = (Desk::default(), Together::default(), Together::default());
        let (calls, channels) = (Paces::default(), Paces::default());
        // HTTP clients of this process find no provider by themselves; one that is set already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self(Arc::new(Shared {
            store,
            ambient,
            config,
            spool,
            hub,
            pools,
            desk,
            calls,
            channels,
            hashing,
            tokens,
            sessions,
            noted,
            closing,
            work,
            forwards,
            mails,
        }))
    }

    /// Whether the use of this credential is to be noted: once a minute is enough, and who only reads does not wait for
    /// it.
    pub fn is_to_be_noted(&self, credential: Uuid) -> bool {
        let now = self.ambient.now();
        // A poisoned map only forgets who was noted.
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.plus_seconds(-60);
        if noted.get(&credential).is_some_and(|at| *at > earliest) {
            return false;
        }
        // Looking for old ones where there is no room is cheap, however many there are.
        if noted.len() == noted.capacity() {
            noted.retain(|_, at| *at > earliest);
        }
        noted.insert(credential, now);
        true
    }

    /// Since when report lines are kept, if older ones are forgotten.
    pub fn lines_kept_since(&self) -> Option<Micros> {
        let months = self.config.keep_line_months?;
        Some(self.ambient.now().plus_seconds(-i64::from(months) * 31 * 24 * 3600))
    }

    /// Says that something was committed that others wait for.
    pub fn wake(&self) {
        self.wake_workers();
        self.hub.wake();
    }

    /// Says that there may be a job to run or a mail to send.
    pub fn wake_workers(&self) {
        self.work.notify_one();
        self.mails.notify_one();
    }
}

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The machine's own clock and randomness: the only place that asks for them.
pub fn system_ambient() -> Ambient {
    struct System;
    impl Clock for System {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
        fn now(&self) -> Micros {
            Micros(jiff::Timestamp::now().as_microsecond())
        }
    }
    impl Entropy for System {
        #[expect(clippy::disallowed_methods, reason = "this is the randomness that everything else is given")]
        fn fill(&self, buffer: &mut [u8]) {
            rng().fill_bytes(buffer);
        }
    }
    Ambient { clock: Arc::new(System), entropy: Arc::new(System) }
}
