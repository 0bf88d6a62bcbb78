//! Check-ins of PCs, durable before the answer: those that come while a transaction commits are the next transaction
//! (group commit). A transaction takes its share of those that are here; a single one waits for nobody.
//!
//! What follows from a check-in, an alert or proof of where the PC is, the second lane writes, for many at once. Where many
//! come nobody is kept waiting for it: what is still to be judged is written with the check-in, and is found again should
//! the server end before (docs/decisions/0056, 0057).

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use roadstead_domain::access::{self, Scope};
use roadstead_domain::alert::judge;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, TenantId};
use roadstead_domain::privacy::{Possession, is_inside};
use roadstead_domain::throttle::CHECK_IN_PACE;
use roadstead_domain::wire::CheckIn;
use roadstead_domain::wire::readings::Readings;
use roadstead_domain::wire::signature::{Unchecked, check_all};
use roadstead_store::check_ins::{self, Said, Speaking};
use roadstead_store::device_keys::Once;
use roadstead_store::{Error, Tx, cpins, privacy};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::Refused;
use super::alerts::{Heard, Shows};
use crate::app::App;
use crate::paces::Paces;

/// The most check-ins of one transaction.
const MOST: usize = 500;
/// So many take turns: one gathers while the others check signatures and write (docs/decisions/0056).
const LANES: usize = 2;
/// How long a lane waits for its share of those that are here (docs/decisions/0048, 0059).
const GATHER: Duration = Duration::from_millis(1);
/// Of more than so many at a time nobody is kept waiting for what follows.
const CROWD: usize = 4;
/// So many signatures are checked without a pause.
const CHECKED_AT_ONCE: usize = 64;
/// What follows from check-ins takes a dozen statements, for one as for many: where many come, it is written once in such a
/// time at most.
const SECOND_LANE: Duration = Duration::from_millis(50);
/// What was still to be judged this long ago has been forgotten by whoever took it; and so often somebody looks.
const FORGOTTEN_SECONDS: i64 = 30;
/// The most that wait; beyond it a PC is told to come again.
const WAITING: usize = 10_000;
/// The most bytes of a PC's readings.
const LARGEST_READINGS: usize = 64 << 10;
/// The longest name of a user, of a place or of an agent's version.
const LONGEST: usize = 200;

type Answer = oneshot::Sender<Result<Told, Refused>>;

/// A check-in on its way to the database.
struct Asked {
    key: String,
    /// One of them has to be right.
    signatures: Vec<Unchecked>,
    once: Once,
    check_in: CheckIn,
    /// The readings as they are kept.
    kept: String,
    /// What the readings show; nothing if they are no readings of ours.
    shows: Option<Shows>,
    answer: Answer,
}

/// A check-in that is written, and what may follow from it is not.
struct Written {
    /// When it was.
    at: Micros,
    speaking: Speaking,
    shows: Option<Shows>,
    /// With what the PC may show where it is.
    proof: Option<Proof>,
    /// Who waits for what follows.
    answer: Option<Answer>,
    /// Whether it came with many.
    is_of_crowd: bool,
}

/// What a PC signs to show that it is inside of its tenant.
struct Proof {
    key: String,
    challenge: Option<String>,
    domain: Option<String>,
}

impl Written {
    fn heard(&self) -> Option<(DeviceId, Heard<'_>)> {
        let Self { speaking, shows, .. } = self;
        Some((speaking.device, Heard { speaking, shows: shows.as_ref()? }))
    }
}

/// What a PC is told.
#[derive(Clone, Debug)]
pub struct Told {
    /// What the books say of it.
    pub speaking: Speaking,
    /// What it has to sign next time, to show where it is.
    pub challenge: Option<String>,
}

/// Where check-ins wait for the transaction under way to end.
#[derive(Debug)]
pub struct Desk {
    paces: Paces,
    /// How many are here: from when they come until they are answered.
    here: AtomicUsize,
    queue: mpsc::Sender<Asked>,
    waiting: Mutex<Option<mpsc::Receiver<Asked>>>,
}

impl Default for Desk {
    fn default() -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        Self {
            paces: Paces::default(),
            here: AtomicUsize::default(),
            queue,
            waiting: Mutex::new(Some(waiting)),
        }
    }
}

impl Desk {
    fn here(&self) -> usize {
        self.here.load(Ordering::Relaxed)
    }

    /// What a lane takes: more would leave the others with nothing to do.
    fn share(&self) -> usize {
        self.here().div_ceil(LANES).clamp(1, MOST)
    }
}

/// One that is here.
struct Here<'a>(&'a AtomicUsize);

impl<'a> Here<'a> {
    fn comes(desk: &'a Desk) -> Self {
        desk.here.fetch_add(1, Ordering::Relaxed);
        Self(&desk.here)
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Asked(..)")
    }
}

/// Takes a check-in, if one of these signatures is this key's; what the PC is to know of its tenant, once it is durable.
pub async fn check_in(
    app: &App,
    key: String,
    signatures: Vec<Unchecked>,
    once: Once,
    check_in: CheckIn,
) -> Result<Told, Refused> {
    let (kept, readings) = match &check_in.readings {
        serde_json::Value::Null => ("{}".to_owned(), Ok(Readings::default())),
        readings @ serde_json::Value::Object(_) => (readings.to_string(), Readings::deserialize(readings)),
        _ => return Err(Refused::invalid("field.unknown_value", "readings")),
    };
    if kept.len() > LARGEST_READINGS {
        return Err(Refused::invalid("field.too_long", "readings"));
    }
    let texts = [("user", &check_in.user), ("location", &check_in.location), ("agent", &check_in.agent)];
    let texts = texts.into_iter().chain([("domain", &check_in.domain), ("challenge", &check_in.challenge)]);
    for (field, text) in texts {
        if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST) {
            return Err(Refused::invalid("field.too_long", field));
        }
    }
    let (answer, answered) = oneshot::channel();
    let shows = readings.ok().map(|readings| judge(&readings));
    let asked = Asked { key, signatures, once, check_in, kept, shows, answer };
    let _here = Here::comes(&app.desk);
    app.desk.queue.try_send(asked).map_err(|_| Refused::Busy)?;
    answered.await.map_err(|_| Refused::Busy)?
}

/// Writes check-ins until the server stops.
pub async fn run(app: App) {
    let receiver = app.desk.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(receiver) = receiver else { return };
    let (second, written) = mpsc::channel(WAITING);
    let (app, receiver) = (&app, &tokio::sync::Mutex::new(receiver));
    let first = async move {
        let lanes = (0..LANES).map(|_| first_lane(app, receiver, &second));
        tokio::join!(join_all(lanes), look_for_unjudged(app, &second));
        // The other lane ends when it has answered what came.
        drop(second);
    };
    tokio::join!(first, second_lane(app, written));
}

/// Takes its share of those that are here, with those that come within [`GATHER`]; `None` when the server stops and nobody
/// waits.
async fn gather(app: &App, queue: &mut mpsc::Receiver<Asked>) -> Option<Vec<Asked>> {
    let mut batch = Vec::new();
    tokio::select! {
        // What waits when the server stops is answered before it is gone.
        biased;
        count = queue.recv_many(&mut batch, app.desk.share()) => if count == 0 { return None },
        () = app.closing.cancelled() => return None,
    }
    let share = async {
        loop {
            let room = app.desk.share().saturating_sub(batch.len());
            if room == 0 || queue.recv_many(&mut batch, room).await == 0 {
                return;
            }
        }
    };
    // Cancelled, it has taken nothing that is not in the batch.
    let _ = tokio::time::timeout(GATHER, share).await;
    Some(batch)
}

/// Those of a batch that their keys have signed and that keep their pace; the others are answered. Who has not signed cannot
/// slow a PC.
async fn genuine(app: &App, batch: Vec<Asked>) -> Vec<Asked> {
    let mut genuine = Vec::with_capacity(batch.len());
    let mut batch = batch.into_iter().peekable();
    while batch.peek().is_some() {
        let part: Vec<Asked> = batch.by_ref().take(CHECKED_AT_ONCE).collect();
        let likeliest: Vec<&Unchecked> = part.iter().filter_map(|asked| asked.signatures.first()).collect();
        let mut right = check_all(&likeliest).into_iter();
        for asked in part {
            let is_right = !asked.signatures.is_empty() && right.next() == Some(true);
            let others = || asked.signatures.iter().skip(1).any(|other| other.check().is_ok());
            let refused =
                if is_right || others() { out_of_pace(app, &asked.key) } else { Some(Refused::Forged) };
            match refused {
                None => genuine.push(asked),
                // Whoever no longer listens has cut the connection.
                Some(refused) => drop(asked.answer.send(Err(refused))),
            }
        }
        // Others have their turn between two parts.
        tokio::task::yield_now().await;
    }
    genuine
}

fn out_of_pace(app: &App, key: &str) -> Option<Refused> {
    let at_once = app.config.check_ins_at_once;
    let kept = app.desk.paces.take(key, app.ambient.now(), CHECK_IN_PACE, at_once);
    kept.err().map(|seconds| Refused::TooOften { code: "check_in.too_often", seconds })
}

/// Writes what PCs say, and answers those that need not wait for what follows.
async fn first_lane(
    app: &App,
    queue: &tokio::sync::Mutex<mpsc::Receiver<Asked>>,
    second: &mpsc::Sender<Written>,
) {
    loop {
        let Some(batch) = gather(app, &mut *queue.lock().await).await else { return };
        let is_crowd = app.desk.here() > CROWD;
        let mut batch = genuine(app, batch).await;
        // A PC that speaks twice at a time speaks in two transactions, in this order.
        while !batch.is_empty() {
            let later = again(&mut batch);
            write(app, std::mem::replace(&mut batch, later), is_crowd, second).await;
        }
    }
}

/// Takes out those whose PC speaks before them.
fn again(batch: &mut Vec<Asked>) -> Vec<Asked> {
    let mut keys = HashSet::with_capacity(batch.len());
    let again: Vec<bool> = batch.iter().map(|asked| !keys.insert(asked.key.as_str())).collect();
    let mut again = again.into_iter();
    batch.extract_if(.., |_| again.next() == Some(true)).collect()
}

/// Writes a batch in one transaction. Where one of them cannot be written, each gets its own: no PC is turned away for
/// another's sake.
async fn write(app: &App, batch: Vec<Asked>, is_crowd: bool, second: &mpsc::Sender<Written>) {
    let at = app.ambient.now();
    match take(app, &batch, at).await {
        Err(error) if batch.len() > 1 && !is_everybodys(&error) => {
            for asked in batch {
                let alone = vec![asked];
                let taken = take(app, &alone, at).await;
                answer(alone, taken, (at, is_crowd), second);
            }
        }
        taken => answer(batch, taken, (at, is_crowd), second),
    }
}

/// Whether it would be the same for each of them alone: the database is gone, or full.
fn is_everybodys(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_) | Error::Full(_))
}

async fn take(app: &App, batch: &[Asked], at: Micros) -> roadstead_store::Result<HashMap<String, Speaking>> {
    let said = batch.iter().map(|asked| Said {
        key: &asked.key,
        once: asked.once,
        agent: asked.check_in.agent.as_deref().unwrap_or(""),
        readings: &asked.kept,
        user: asked.check_in.user.as_deref(),
        location: asked.check_in.location.as_deref(),
        is_ill: is_ill(asked),
    });
    let said: Vec<Said<'_>> = said.collect();
    check_ins::take(&app.store, &access::system(), &said, at).await
}

fn answer(
    batch: Vec<Asked>,
    taken: roadstead_store::Result<HashMap<String, Speaking>>,
    (at, is_of_crowd): (Micros, bool),
    second: &mpsc::Sender<Written>,
) {
    let refused: fn() -> Refused = match &taken {
        Ok(_) => || Refused::UnknownKey,
        Err(Error::Conflict(name)) if name == check_ins::NONCES => || Refused::Repeated,
        Err(error) => {
            tracing::error!("check-ins were not written: {error:#}");
            || Refused::Busy
        }
    };
    let mut speaking = taken.unwrap_or_default();
    // Whoever no longer listens to an answer has cut the connection.
    for asked in batch {
        let Some(speaking) = speaking.remove(&asked.key) else {
            let _ = asked.answer.send(Err(refused()));
            continue;
        };
        let proves = speaking.has_to_prove;
        let may_alert = speaking.tenant.is_some() && (is_ill(&asked) || speaking.has_alerts);
        let Asked { key, check_in: CheckIn { challenge, domain, .. }, shows, answer, .. } = asked;
        if !proves && !may_alert {
            let _ = answer.send(Ok(Told { speaking, challenge: None }));
            continue;
        }
        let waits = if is_of_crowd && !proves {
            let _ = answer.send(Ok(Told { speaking: speaking.clone(), challenge: None }));
            None
        } else {
            Some(answer)
        };
        let proof = proves.then_some(Proof { key, challenge, domain });
        let written = Written { at, speaking, shows, proof, answer: waits, is_of_crowd };
        if let Err(full) = second.try_send(written)
            && let Some(answer) = full.into_inner().answer
        {
            let _ = answer.send(Err(Refused::Busy));
        }
    }
}

/// Whether its readings show something that is wrong.
fn is_ill(asked: &Asked) -> bool {
    asked.shows.as_ref().is_some_and(|(found, _)| !found.is_empty())
}

/// Hands on what is written, and was not judged in time: its server ended before, or could not.
async fn look_for_unjudged(app: &App, second: &mpsc::Sender<Written>) {
    let pause = Duration::from_secs(FORGOTTEN_SECONDS.unsigned_abs());
    loop {
        match unjudged(app).await {
            // What finds no room is found again.
            Ok(found) => found.into_iter().for_each(|written| drop(second.try_send(written))),
            Err(error) => tracing::warn!("check-ins that are to be judged were not found: {error:#}"),
        }
        if app.closing.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

async fn unjudged(app: &App) -> roadstead_store::Result<Vec<Written>> {
    let scope = access::system();
    let mut tx = app.store.read(&scope).await?;
    let before = app.ambient.now().plus_seconds(-FORGOTTEN_SECONDS);
    let found = check_ins::unjudged(&mut tx, &scope, before, MOST as i64).await?;
    let written = |check_ins::Unjudged { seen_at, readings, speaking }| Written {
        at: seen_at,
        speaking,
        shows: serde_json::from_str::<Readings>(&readings).ok().map(|readings| judge(&readings)),
        proof: None,
        answer: None,
        is_of_crowd: true,
    };
    Ok(found.into_iter().map(written).collect())
}

/// Writes what follows from check-ins that are written. Should that fail, a PC that waits is told to come again.
async fn second_lane(app: &App, mut queue: mpsc::Receiver<Written>) {
    let mut waiting = Vec::with_capacity(MOST);
    let mut next = Instant::now();
    while queue.recv_many(&mut waiting, MOST).await > 0 {
        if next > Instant::now() && waiting.iter().any(|written| written.is_of_crowd) {
            tokio::time::sleep_until(next).await;
            while waiting.len() < MOST
                && let Ok(more) = queue.try_recv()
            {
                waiting.push(more);
            }
        }
        next = Instant::now() + SECOND_LANE;
        let batch = std::mem::take(&mut waiting);
        match follow(app, &batch).await {
            Err(error) if batch.len() > 1 && !is_everybodys(&error) => {
                for written in batch {
                    let alone = vec![written];
                    let followed = follow(app, &alone).await;
                    tell(alone, followed);
                }
            }
            followed => tell(batch, followed),
        }
    }
}

async fn follow(app: &App, batch: &[Written]) -> roadstead_store::Result<HashMap<DeviceId, String>> {
    let now = app.ambient.now();
    let scope = access::system();
    let mut tx = app.store.write(&scope).await?;
    // Two of one PC: the later one stands. In one order on every node, so that no two wait for each other.
    let latest: BTreeMap<DeviceId, Heard<'_>> = batch.iter().filter_map(Written::heard).collect();
    let latest: Vec<Heard<'_>> = latest.into_values().collect();
    let (tells, moving) = super::alerts::look_at_readings(app, &mut tx, &latest, now).await?;
    let judged = batch.iter().map(|written| (written.speaking.device, written.at));
    let judged: Vec<_> = judged.filter(|(device, _)| !moving.contains(&device.0)).collect();
    check_ins::judged(&mut tx, &scope, &judged).await?;
    let challenges = challenge(&mut tx, &scope, batch, now).await?;
    tx.commit().await?;
    if tells {
        app.hub.wake();
    }
    Ok(challenges)
}

fn tell(batch: Vec<Written>, followed: roadstead_store::Result<HashMap<DeviceId, String>>) {
    if let Err(error) = &followed {
        tracing::error!("what follows from check-ins was not written: {error:#}");
    }
    for Written { speaking, answer, .. } in batch {
        let Some(answer) = answer else { continue };
        let told = match &followed {
            Ok(challenges) => Ok(Told { challenge: challenges.get(&speaking.device).cloned(), speaking }),
            Err(_) => Err(Refused::Busy),
        };
        // Whoever no longer listens has cut the connection.
        let _ = answer.send(told);
    }
}

/// Believes PCs that signed the challenge of their move from inside the tenant (decision 25); what the others have to
/// sign.
async fn challenge(
    tx: &mut Tx,
    scope: &Scope,
    batch: &[Written],
    now: Micros,
) -> roadstead_store::Result<HashMap<DeviceId, String>> {
    let unproved = batch.iter().filter_map(|written| Some((&written.speaking, written.proof.as_ref()?)));
    let unproved: Vec<(&Speaking, &Proof)> = unproved.collect();
    if unproved.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: Vec<&str> = unproved.iter().map(|(_, proof)| proof.key.as_str()).collect();
    let mut challenges = privacy::challenges(tx, scope, &keys).await?;
    let mut domains: HashMap<TenantId, Vec<String>> = HashMap::new();
    for (speaking, proof) in unproved {
        let Some(tenant) = speaking.tenant else { continue };
        if proof.challenge.is_none() || proof.challenge.as_ref() != challenges.get(&speaking.device) {
            continue;
        }
        let own = match domains.entry(tenant) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(cpins::domains(tx, scope, tenant).await?),
        };
        if is_inside(proof.domain.as_deref().unwrap_or(""), own) {
            privacy::prove(tx, scope, speaking.device, speaking.generation, Possession::Key, now).await?;
            challenges.remove(&speaking.device);
        }
    }
    Ok(challenges)
}
