//! Check-ins of PCs, durable before the answer: those that come while a transaction commits are the next transaction
//! (group commit). Where many come, a transaction waits two milliseconds for more; a single one waits for nobody.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use roadstead_domain::access::{self, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, TenantId};
use roadstead_domain::privacy::{Possession, is_inside};
use roadstead_domain::throttle::CHECK_IN_PACE;
use roadstead_domain::wire::CheckIn;
use roadstead_store::check_ins::{self, Speaking};
use roadstead_store::device_keys::Once;
use roadstead_store::{Error, Tx, cpins, privacy};
use tokio::sync::{mpsc, oneshot};

use super::Refused;
use crate::app::App;
use crate::paces::Paces;

/// The most check-ins of one transaction.
const MOST: usize = 500;
/// After a transaction with more than so many, more are on their way.
const CROWD: usize = 4;
/// How long the next one then waits for them (docs/decisions/0048).
const GATHER: Duration = Duration::from_millis(2);
/// The most that wait; beyond it a PC is told to come again.
const WAITING: usize = 10_000;
/// The most bytes of a PC's readings.
const LARGEST_READINGS: usize = 64 << 10;
/// The longest name of a user, of a place or of an agent's version.
const LONGEST: usize = 200;

/// A check-in on its way to the database.
struct Asked {
    key: String,
    once: Once,
    check_in: CheckIn,
    readings: String,
    answer: oneshot::Sender<Result<Told, Refused>>,
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
    queue: mpsc::Sender<Asked>,
    waiting: Mutex<Option<mpsc::Receiver<Asked>>>,
}

impl Default for Desk {
    fn default() -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        Self { paces: Paces::default(), queue, waiting: Mutex::new(Some(waiting)) }
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Asked(..)")
    }
}

/// Takes a check-in that was signed by this key; what the PC is to know of its tenant, once it is durable.
pub async fn check_in(app: &App, key: String, once: Once, check_in: CheckIn) -> Result<Told, Refused> {
    let at_once = app.config.check_ins_at_once;
    let kept = app.desk.paces.take(&key, app.ambient.now(), CHECK_IN_PACE, at_once);
    kept.map_err(|seconds| Refused::TooOften { code: "check_in.too_often", seconds })?;
    let readings = match &check_in.readings {
        serde_json::Value::Null => "{}".to_owned(),
        serde_json::Value::Object(_) => check_in.readings.to_string(),
        _ => return Err(Refused::invalid("field.unknown_value", "readings")),
    };
    if readings.len() > LARGEST_READINGS {
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
    let asked = Asked { key, once, check_in, readings, answer };
    app.desk.queue.try_send(asked).map_err(|_| Refused::Busy)?;
    answered.await.map_err(|_| Refused::Busy)?
}

/// Writes check-ins until the server stops.
pub async fn run(app: App) {
    let receiver = app.desk.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut receiver) = receiver else { return };
    let mut batch = Vec::with_capacity(MOST);
    let mut is_crowded = false;
    loop {
        tokio::select! {
            // What waits when the server stops is answered before it is gone.
            biased;
            count = receiver.recv_many(&mut batch, MOST) => if count == 0 { return },
            () = app.closing.cancelled() => return,
        }
        if is_crowded && batch.len() < MOST {
            tokio::time::sleep(GATHER).await;
            while batch.len() < MOST
                && let Ok(more) = receiver.try_recv()
            {
                batch.push(more);
            }
        }
        is_crowded = batch.len() > CROWD;
        write(&app, std::mem::take(&mut batch)).await;
    }
}

/// Writes a batch in one transaction. Where one of its PCs cannot be written, each gets its own: no PC is turned away for
/// another's sake.
async fn write(app: &App, batch: Vec<Asked>) {
    match commit(app, &batch).await {
        Err(refused) if batch.len() > 1 && !is_everybodys(&refused) => {
            for asked in batch {
                let alone = vec![asked];
                let outcome = commit(app, &alone).await;
                tell(alone, outcome);
            }
        }
        outcome => tell(batch, outcome),
    }
}

/// Whether it would be the same for each of them alone: the database is gone, or full.
fn is_everybodys(refused: &Refused) -> bool {
    matches!(refused, Refused::Store(Error::Unavailable(_) | Error::Full(_)))
}

fn tell(batch: Vec<Asked>, outcome: Result<Vec<Result<Told, Refused>>, Refused>) {
    // Whoever no longer listens has cut the connection.
    match outcome {
        Ok(answers) => {
            for (asked, told) in batch.into_iter().zip(answers) {
                let _ = asked.answer.send(told);
            }
        }
        Err(refused) => {
            let repeated = matches!(refused, Refused::Repeated);
            if !repeated {
                tracing::error!("check-ins were not written: {refused:#}");
            }
            for asked in batch {
                let _ = asked.answer.send(Err(if repeated { Refused::Repeated } else { Refused::Busy }));
            }
        }
    }
}

async fn commit(app: &App, batch: &[Asked]) -> Result<Vec<Result<Told, Refused>>, Refused> {
    let now = app.ambient.now();
    let scope = access::system();
    let mut tx = app.store.write(&scope).await?;
    let seen: Vec<Once> = batch.iter().map(|asked| asked.once).collect();
    if check_ins::see_all(&mut tx, &seen).await? != seen.len() as u64 {
        return Err(Refused::Repeated);
    }
    let keys: Vec<&str> = batch.iter().map(|asked| asked.key.as_str()).collect();
    let speaking = check_ins::speaking(&mut tx, &scope, &keys).await?;
    // Two of one PC in one batch: the later one stands.
    let mut latest: HashMap<_, check_ins::CheckIn<'_>> = HashMap::with_capacity(batch.len());
    for asked in batch {
        if let Some(speaking) = speaking.get(&asked.key) {
            let row = check_ins::CheckIn {
                speaking,
                agent: asked.check_in.agent.as_deref().unwrap_or(""),
                readings: &asked.readings,
                user: asked.check_in.user.as_deref(),
                location: asked.check_in.location.as_deref(),
            };
            latest.insert(speaking.device, row);
        }
    }
    let mut rows: Vec<check_ins::CheckIn<'_>> = latest.into_values().collect();
    // In one order on every node, so that no two wait for each other.
    rows.sort_unstable_by_key(|row| row.speaking.device);
    check_ins::write(&mut tx, &scope, &rows, now).await?;
    let tells = super::alerts::look_at_readings(app, &mut tx, &speaking, &rows, now).await?;
    let challenges = challenge(&mut tx, &scope, batch, &speaking, now).await?;
    tx.commit().await?;
    if tells {
        app.hub.wake();
    }
    let answer = |asked: &Asked| {
        let speaking = speaking.get(&asked.key).cloned().ok_or(Refused::UnknownKey)?;
        let challenge = challenges.get(&speaking.device).cloned();
        Ok(Told { speaking, challenge })
    };
    Ok(batch.iter().map(answer).collect())
}

/// Believes PCs that signed the challenge of their move from inside the tenant (decision 25); what the others have to
/// sign. Only PCs of tenants that name their domains can show anything this way.
async fn challenge(
    tx: &mut Tx,
    scope: &Scope,
    batch: &[Asked],
    speaking: &HashMap<String, Speaking>,
    now: Micros,
) -> Result<HashMap<DeviceId, String>, Refused> {
    let asks = |speaking: &&Speaking| speaking.with_customer && speaking.has_domains && !speaking.is_proved;
    let unproved = speaking.iter().filter(|(_, speaking)| asks(speaking));
    let unproved: Vec<&str> = unproved.map(|(key, _)| key.as_str()).collect();
    if unproved.is_empty() {
        return Ok(HashMap::new());
    }
    let mut challenges = privacy::challenges(tx, scope, &unproved).await?;
    let mut domains: HashMap<TenantId, Vec<String>> = HashMap::new();
    for asked in batch {
        let Some(speaking) = speaking.get(&asked.key).filter(asks) else { continue };
        let Some(tenant) = speaking.tenant else { continue };
        if asked.check_in.challenge.is_none()
            || asked.check_in.challenge.as_ref() != challenges.get(&speaking.device)
        {
            continue;
        }
        let own = match domains.entry(tenant) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(cpins::domains(tx, scope, tenant).await?),
        };
        if is_inside(asked.check_in.domain.as_deref().unwrap_or(""), own) {
            privacy::prove(tx, scope, speaking.device, speaking.generation, Possession::Key, now).await?;
            challenges.remove(&speaking.device);
        }
    }
    Ok(challenges)
}
