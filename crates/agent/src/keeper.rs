//! Keeps the pop-ups of this PC: puts them on screens, remembers what became of them, sends what the user submits. Every
//! change is on the disk before anybody sees what follows from it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::Context;
use roadstead_domain::clock::{Ambient, Micros};
use roadstead_domain::wire::pop_up::{Dismissed, PopUp, Recipient};
use roadstead_domain::wire::repair_case::{Answer, RepairCase};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use crate::link::{Link, LinkError};
use crate::platform::Platform;
use crate::queue::Queue;
use crate::record::{Draft, Ended, Kind, Record, Ticket};
use crate::screen::{Buttons, Shown};
use crate::words;

/// What is over is remembered for so long, in seconds: a copy of its event may still come.
const REMEMBER_SECONDS: i64 = 90 * 86_400;

/// The keeper.
pub struct Keeper {
    pub(crate) link: Arc<Link>,
    pub(crate) notices: Queue,
    pub(crate) ambient: Ambient,
    platform: Arc<dyn Platform>,
    directory: PathBuf,
    records: Mutex<BTreeMap<Uuid, Record>>,
    version: watch::Sender<u64>,
    address: OnceLock<SocketAddr>,
}

impl Keeper {
    /// Opens what was kept in this directory of the agent's state.
    pub fn open(
        state: &Path,
        link: Arc<Link>,
        platform: Arc<dyn Platform>,
        ambient: Ambient,
    ) -> anyhow::Result<Self> {
        let directory = state.join("pop-ups");
        fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let mut records = BTreeMap::new();
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match fs::read_to_string(&path).map(|text| serde_json::from_str::<Record>(&text)) {
                Ok(Ok(record)) => drop(records.insert(record.id(), record)),
                other => tracing::error!("{} cannot be read: {other:?}", path.display()),
            }
        }
        let keeper = Self {
            notices: Queue::open(&state.join("notices"))?,
            link,
            ambient,
            platform,
            directory,
            records: Mutex::new(records),
            version: watch::Sender::new(0),
            address: OnceLock::new(),
        };
        keeper.forget()?;
        Ok(keeper)
    }

    /// Where the form is served from now on.
    pub fn serves_at(&self, address: SocketAddr) {
        let _ = self.address.set(address);
        self.bump();
    }

    /// Changes when anything does.
    pub(crate) fn version(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn bump(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// The present instant by the server's clock: what it says of times is meant by that one.
    pub(crate) fn now(&self) -> Micros {
        self.link.now()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pop-up by its id.
    pub(crate) fn get(&self, id: Uuid) -> Option<Record> {
        self.lock().get(&id).cloned()
    }

    /// The pop-up that this secret speaks of, and what it may say.
    pub(crate) fn find(&self, secret: &str) -> Option<(Record, Ticket)> {
        let records = self.lock();
        records
            .values()
            .find_map(|record| record.ticket(secret).map(|ticket| (record.clone(), ticket.clone())))
    }

    /// Changes a record: on the disk first, then for everybody to see. What the change came to.
    pub(crate) fn change<T>(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut Record) -> T,
    ) -> anyhow::Result<Option<T>> {
        let mut records = self.lock();
        let Some(known) = records.get_mut(&id) else { return Ok(None) };
        let mut record = known.clone();
        let outcome = change(&mut record);
        if record != *known {
            self.write(&record)?;
            *known = record;
            self.bump();
        }
        Ok(Some(outcome))
    }

    fn write(&self, record: &Record) -> anyhow::Result<()> {
        let path = self.directory.join(format!("{}.json", record.id()));
        let part = path.with_extension("part");
        let mut file = File::create(&part)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        Ok(crate::queue::sync(&self.directory)?)
    }

    /// Forgets what has long been over.
    fn forget(&self) -> anyhow::Result<()> {
        let before = self.now().plus_seconds(-REMEMBER_SECONDS);
        let mut records = self.lock();
        let is_old = |record: &Record| record.expires_at < before && !record.is_unsent();
        let old: Vec<Uuid> =
            records.values().filter(|record| is_old(record)).map(|record| record.id()).collect();
        for id in old {
            fs::remove_file(self.directory.join(format!("{id}.json")))?;
            records.remove(&id);
        }
        Ok(())
    }

    /// The platform offers a pop-up. Of one that is known only what it says may have changed: it is never shown twice.
    pub fn offered(&self, pop_up: PopUp) -> anyhow::Result<()> {
        let id = pop_up.id;
        if self.change(id, |record| record.offered_again(&pop_up))?.is_none() {
            let record = Record::new(pop_up);
            self.write(&record)?;
            self.lock().insert(id, record);
            self.bump();
        }
        Ok(())
    }

    /// The platform takes a pop-up back.
    pub fn withdrawn(&self, id: Uuid, reason: &str) -> anyhow::Result<()> {
        self.change(id, |record| record.withdrawn(reason))?;
        Ok(())
    }

    /// A case has come further.
    pub fn progressed(&self, case: RepairCase) -> anyhow::Result<()> {
        match case.pop_up {
            Some(pop_up) => self.change(pop_up, |record| record.progressed(case))?.unwrap_or_default(),
            None => tracing::info!(number = case.number, "a case that did not come from a pop-up"),
        }
        Ok(())
    }

    /// Says something of a pop-up to the platform, now or when it can be reached.
    pub(crate) fn notice(&self, id: Uuid, what: &str) -> anyhow::Result<()> {
        self.push_notice(format!("pop-ups/{id}/{what}"), "{}".to_owned())
    }

    /// Says that nobody looked: the user closed it, or pressed Later.
    pub(crate) fn dismissed(&self, id: Uuid, later: bool) -> anyhow::Result<()> {
        let body = serde_json::to_string(&Dismissed { later })?;
        self.push_notice(format!("pop-ups/{id}/dismissed"), body)
    }

    fn push_notice(&self, path: String, body: String) -> anyhow::Result<()> {
        self.notices.push(&serde_json::to_string(&Notice { path, body })?)?;
        self.bump();
        Ok(())
    }

    /// The user submits. A second press changes nothing.
    pub(crate) fn submit(&self, id: Uuid, draft: Draft, recipient: &str) -> anyhow::Result<()> {
        let (now, submission) = (self.now(), self.ambient.id());
        self.change(id, |record| record.submit(submission, draft, recipient, now))?;
        Ok(())
    }

    /// A fresh secret.
    pub(crate) fn secret(&self) -> String {
        hex::encode(self.ambient.secret())
    }

    /// Puts on the screens what is due, and ends what had its time.
    pub fn show_what_is_due(self: &Arc<Self>) -> anyhow::Result<()> {
        let now = self.now();
        let records: Vec<Record> = self.lock().values().cloned().collect();
        for record in records {
            let id = record.id();
            if record.ended.is_none() && record.submission.is_none() && record.expires_at <= now {
                self.change(id, |record| record.ended = Some(Ended::Expired))?;
            } else if record.is_due(now) {
                if !self.put_on_screens(&record, Buttons::ViewAndLater)? {
                    self.change(id, |record| record.not_shown(now))?;
                }
            } else if let Some(step) = record.untold_step() {
                // With nobody there, the next look tries again.
                if self.put_on_screens(&record, Buttons::View)? {
                    self.change(id, |record| record.told_of(&step))?;
                }
            }
        }
        Ok(())
    }

    /// When something will be due without anybody doing anything.
    pub fn next_due(&self) -> Option<Micros> {
        let now = self.now();
        let records = self.lock();
        let waits = |record: &Record| {
            let open = record.is_open(now).then_some(record.expires_at);
            let later = record.not_before.filter(|at| record.is_open(now) && !record.shown && *at > now);
            open.into_iter().chain(later).min()
        };
        records.values().filter_map(waits).min()
    }

    /// Starts showing it in every session; whether there is one.
    fn put_on_screens(self: &Arc<Self>, record: &Record, buttons: Buttons) -> anyhow::Result<bool> {
        let Some(address) = self.address.get() else { return Ok(false) };
        let sessions = self.platform.sessions(&std::env::current_exe()?);
        let without_success = Arc::new(AtomicUsize::new(sessions.len()));
        let is_there = !sessions.is_empty();
        for (lang, command) in sessions {
            let (screen, view) = (self.secret(), self.secret());
            let is_pop_up = buttons == Buttons::ViewAndLater;
            self.change(record.id(), |record| {
                record.admit(&screen, if is_pop_up { Kind::Screen } else { Kind::News }, lang);
                record.admit(&view, Kind::View, lang);
                record.shown |= is_pop_up;
            })?;
            let words = words::notification(record, &jiff::tz::TimeZone::system(), lang);
            let shown = Shown { words, buttons, lang, origin: format!("http://{address}"), screen, view };
            self.start(record.id(), command, shown, Arc::clone(&without_success));
        }
        Ok(is_there)
    }

    /// Starts the process that shows a pop-up in a session, and looks after it. Only if it fails in all of them (a session
    /// that waits for somebody to sign in has no notifications), the pop-up was not shown.
    fn start(
        self: &Arc<Self>,
        id: Uuid,
        command: std::process::Command,
        shown: Shown,
        without_success: Arc<AtomicUsize>,
    ) {
        let keeper = Arc::clone(self);
        tokio::spawn(async move {
            let Err(error) = crate::screen::start(command, &shown).await else { return };
            tracing::warn!("a pop-up could not be shown: {error:#}");
            let is_last = without_success.fetch_sub(1, Ordering::Relaxed) == 1;
            let now = keeper.now();
            if shown.buttons == Buttons::ViewAndLater
                && is_last
                && let Err(error) = keeper.change(id, |record| record.not_shown(now))
            {
                tracing::error!("{error:#}");
            }
        });
    }
}

impl Keeper {
    /// Sends what waits: what became of pop-ups, then what was submitted and cancelled.
    pub(crate) async fn send_what_waits(&self) -> Result<(), LinkError> {
        let broken = |error: anyhow::Error| LinkError::Later(format!("{error:#}"));
        while let Some((number, text)) = self.notices.first().map_err(broken)? {
            if let Ok(notice) = serde_json::from_str::<Notice>(&text) {
                let Notice { path, body } = notice;
                match self.link.post_text::<serde_json::Value>(&path, &body).await {
                    Ok(_) => {}
                    // It is of no use to the platform any more.
                    Err(LinkError::Refused { status, code, .. }) if status != 401 => {
                        tracing::info!(code, path, "a notice was refused");
                    }
                    Err(error) => return Err(error),
                }
            }
            self.notices.remove(number).map_err(broken)?;
        }
        let unsent: Vec<Record> = self.lock().values().filter(|record| record.is_unsent()).cloned().collect();
        for record in unsent {
            self.send_submission(&record).await?;
        }
        Ok(())
    }

    async fn send_submission(&self, record: &Record) -> Result<(), LinkError> {
        let (id, Some(sent)) = (record.id(), &record.submission) else { return Ok(()) };
        let answer = match (&sent.case, &sent.answering) {
            (None, _) => self.link.post::<RepairCase>("repair-cases", &record.wire(sent)).await,
            (Some(case), Some(text)) if !sent.cancelling => {
                let answer = Answer { text: text.clone() };
                self.link.post(&format!("repair-cases/{}/answer", case.id), &answer).await
            }
            (Some(case), _) => self.link.post_text(&format!("repair-cases/{}/cancel", case.id), "{}").await,
        };
        let changed = match answer {
            Ok(case) => self.change(id, |record| record.answered(case)),
            Err(LinkError::Refused { status, code, message, problem }) if status != 401 => {
                tracing::warn!(code, "the platform refuses what was sent: {message}");
                self.change(id, |record| match (changed_recipient(&code, &problem), status) {
                    _ if record.case().is_some() => record.too_late(),
                    (Some(recipient), _) => record.recipient_is(recipient),
                    (None, 422) => record.returned(message),
                    (None, _) => record.ended = Some(Ended::Refused(message)),
                })
            }
            Err(error) => return Err(error),
        };
        changed.map(|_| ()).map_err(|error| LinkError::Later(format!("{error:#}")))
    }
}

/// What is to be said of a pop-up.
#[derive(Serialize, Deserialize)]
struct Notice {
    path: String,
    body: String,
}

/// The recipient by now, where the platform refuses because it is another one.
fn changed_recipient(code: &str, problem: &serde_json::Value) -> Option<Recipient> {
    let is_changed = code == "pop_up.recipient_changed";
    is_changed.then(|| serde_json::from_value(problem["recipient"].clone()).ok()).flatten()
}
