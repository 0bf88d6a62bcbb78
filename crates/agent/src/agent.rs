//! What the agent does: it asks to join until it may, then it says how the PC is, again and again. Whatever fails is
//! tried again later, and nothing that was read is lost while the server cannot be reached.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use roadstead_domain::clock::{Ambient, Micros};
use roadstead_domain::wire::{CheckIn, CheckedIn, Enrol, Enrolled, EnrolmentState, key_text};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::health::Health;
use crate::key;
use crate::link::{Link, LinkError};
use crate::machine::{self, Machine};
use crate::pace;
use crate::queue::Queue;
use crate::settings::{Known, Settings};

/// After a refusal that only a person can mend, the agent asks again after this long, in seconds.
const REFUSED_SECONDS: u32 = 4 * 3600;

/// What the agent remembers across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// Whether the platform knows this PC by its key.
    pub(crate) enrolled: bool,
    /// When the platform last took a check-in, RFC 3339.
    pub(crate) checked_in: Option<String>,
    /// The digest of the wish that was granted: another server or cPIN is another wish.
    granted: Option<String>,
    /// What the tenant wants to know of persons.
    collect_user: bool,
    collect_location: bool,
    /// What the tenant wants signed, to know that the PC is in its hands.
    #[serde(default)]
    challenge: Option<String>,
}

impl State {
    fn known(&self) -> Known {
        Known {
            enrolled: self.enrolled,
            collect_user: self.collect_user,
            collect_location: self.collect_location,
        }
    }
}

/// The agent.
pub struct Agent {
    config: Config,
    machine: Machine,
    ambient: Ambient,
    link: Arc<Link>,
    health: Arc<Mutex<Health>>,
    queue: Queue,
    state: State,
    settings: Settings,
    state_file: PathBuf,
    public_key: String,
    failures: u32,
    ask_again_at: Micros,
}

impl Agent {
    /// Puts the agent together; makes its key and its directories where there are none.
    pub fn new(config: Config, health: Health, ambient: Ambient) -> anyhow::Result<Self> {
        key::private_directory(&config.state)
            .with_context(|| format!("cannot make {}", config.state.display()))?;
        let key = key::load_or_create(&config.state.join("device.key"), &ambient.secret())?;
        let machine = machine::identify(&config)?;
        let state_file = config.state.join("state.json");
        // A state that cannot be read is none: the agent asks to join again, which costs nothing.
        let state = fs::read_to_string(&state_file).ok().and_then(|text| serde_json::from_str(&text).ok());
        let state: State = state.unwrap_or_default();
        Ok(Self {
            public_key: key_text(&key.verifying_key()),
            link: Arc::new(Link::new(&config.server, key, &config.state, ambient.clone())?),
            queue: Queue::open(&config.state.join("queue"))?,
            settings: Settings::new(state.known()),
            state,
            state_file,
            config,
            machine,
            ambient,
            health: Arc::new(Mutex::new(health)),
            failures: 0,
            ask_again_at: Micros(0),
        })
    }

    /// The link, for whatever else speaks to the platform.
    pub fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link)
    }

    /// What is known of the PC's tenant.
    pub fn settings(&self) -> Settings {
        self.settings.clone()
    }

    /// Whether the last round could not reach the platform.
    pub fn is_failing(&self) -> bool {
        self.failures > 0
    }

    fn random(&self) -> u32 {
        pace::random(&self.ambient)
    }

    fn save(&self) -> anyhow::Result<()> {
        let part = self.state_file.with_extension("part");
        fs::write(&part, serde_json::to_string(&self.state)?)?;
        fs::rename(part, &self.state_file)?;
        self.settings.send_if_modified(|known| std::mem::replace(known, self.state.known()) != *known);
        Ok(())
    }

    /// What stands in the wish; another one is asked anew.
    fn wish_digest(&self) -> String {
        let cpin = self.config.cpin.as_deref().unwrap_or("");
        let parts = [&self.config.server, cpin, &self.machine.serial, &self.public_key];
        hex::encode(Sha256::digest(parts.join("\n")))
    }

    /// One round: joins if it has to, then says how the PC is. How long to wait for the next.
    pub async fn step(&mut self) -> anyhow::Result<Duration> {
        let mut next = pace::next(300, self.random());
        if self.state.granted.as_deref() != Some(self.wish_digest().as_str())
            && self.ambient.now() >= self.ask_again_at
        {
            match self.enrol(false).await {
                Ok(answer) => {
                    self.failures = 0;
                    if answer.state != EnrolmentState::Enrolled {
                        let again = answer.retry_after_seconds.unwrap_or(REFUSED_SECONDS);
                        tracing::warn!(
                            reason = answer.reason,
                            "this PC waits: {}",
                            answer.message.unwrap_or_default()
                        );
                        self.ask_again_at = self.ambient.now().plus_seconds(i64::from(again));
                        next = pace::next(again, self.random());
                    }
                }
                Err(LinkError::Later(why)) => return Ok(self.later(&why)),
                Err(LinkError::Refused { code, message, .. }) => {
                    tracing::error!(code, "this PC cannot join: {message}");
                    self.ask_again_at = self.ambient.now().plus_seconds(i64::from(REFUSED_SECONDS));
                    next = pace::next(REFUSED_SECONDS, self.random());
                }
            }
        }
        if !self.state.enrolled {
            return Ok(next);
        }
        let read = self.read().await?;
        self.queue.push(&read)?;
        self.send_all().await
    }

    fn later(&mut self, why: &str) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let wait = pace::after_failures(self.failures, self.random());
        tracing::warn!(
            failures = self.failures,
            seconds = wait.as_secs(),
            "the platform cannot be reached: {why}"
        );
        wait
    }

    /// Asks to join; `confirmed` says that the user confirmed a foreign domain.
    pub async fn enrol(&mut self, confirmed: bool) -> Result<Enrolled, LinkError> {
        let wish = Enrol {
            serial: self.machine.serial.clone(),
            product_number: self.machine.product_number.clone(),
            public_key: self.public_key.clone(),
            cpin: self.config.cpin.clone(),
            domain: self.machine.domain.clone(),
            confirmed,
        };
        let answer: Enrolled = self.link.post("enrolments", &wish).await?;
        if answer.state == EnrolmentState::Enrolled {
            self.state.enrolled = true;
            self.state.granted = Some(self.wish_digest());
            tracing::info!("this PC is enrolled");
            self.save().map_err(|error| LinkError::Later(format!("{error:#}")))?;
        }
        Ok(answer)
    }

    /// How the PC is at this moment, as text for the queue. Of persons only what the tenant asked for last.
    async fn read(&mut self) -> anyhow::Result<String> {
        let health = Arc::clone(&self.health);
        // A disk may take its time, and nothing else has to wait for it.
        let read = move || health.lock().unwrap_or_else(PoisonError::into_inner).read();
        let mut readings = tokio::task::spawn_blocking(read).await?;
        let known = *self.settings.borrow();
        readings.taken_at = Some(self.ambient.now().rfc3339());
        let check_in = CheckIn {
            readings: serde_json::to_value(readings)?,
            user: if known.collect_user { machine::user() } else { None },
            location: self.config.location.clone().filter(|_| known.collect_location),
            agent: Some(env!("CARGO_PKG_VERSION").to_owned()),
            domain: self.machine.domain.clone(),
            challenge: self.state.challenge.clone(),
        };
        Ok(serde_json::to_string(&check_in)?)
    }

    /// Sends what waits, in order.
    async fn send_all(&mut self) -> anyhow::Result<Duration> {
        let mut next = 300;
        while let Some((number, text)) = self.queue.first()? {
            match self.link.post_text::<CheckedIn>("check-ins", &text).await {
                Ok(told) => {
                    self.failures = 0;
                    self.queue.remove(number)?;
                    next = told.next_seconds;
                    self.state.collect_user = told.collect_user;
                    self.state.collect_location = told.collect_location;
                    self.state.challenge = told.challenge;
                    self.state.checked_in = Some(self.link.now().rfc3339());
                    self.save()?;
                }
                Err(LinkError::Later(why)) => return Ok(self.later(&why)),
                Err(LinkError::Refused { code, .. }) if code == "device.unknown" => {
                    tracing::warn!("the platform does not know this PC any more: asking to join again");
                    self.state.enrolled = false;
                    self.state.granted = None;
                    self.save()?;
                    return Ok(pace::next(5, self.random()));
                }
                Err(LinkError::Refused { status: 401, code, message, .. }) => {
                    return Ok(self.later(&format!("{code}: {message}")));
                }
                Err(LinkError::Refused { code, message, .. }) => {
                    // It will never be taken, and must not keep the others.
                    tracing::error!(code, "a check-in was refused: {message}");
                    self.queue.remove(number)?;
                }
            }
        }
        Ok(pace::next(next, self.random()))
    }
}
