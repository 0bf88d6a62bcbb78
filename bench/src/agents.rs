//! PCs with agents: sold with a support level by one partner, so that they are in its pool, and enrolled by the cPIN of
//! one of its customers.

use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ed25519_dalek::SigningKey;
use roadstead_domain::wire::key_text;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Options;
use crate::asked::PARTNER;
use crate::engine::{Database, Engine, Inside};
use crate::generator::{self, Level, Sale, Sellers};
use crate::http::{Pieces, text_at};
use crate::server::Platform;
use crate::signed::{Signed, send_all};
use crate::transfer;

/// From so many connections PCs enrol and check in where nobody measures.
const CONNECTIONS: usize = 16;

/// A PC.
pub struct Pc {
    /// Its own key.
    pub key: SigningKey,
    /// Its serial.
    pub serial: String,
    /// What it was sold with.
    pub level: Level,
    product_number: &'static str,
}

/// How a PC is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing is wrong.
    Good,
    /// Its disk is worn out, which is an alert.
    Worn,
}

/// PCs, and the platform that knows them.
pub struct Agents {
    /// The platform.
    pub platform: Platform,
    /// The customer tenant.
    pub customer: Uuid,
    /// The PCs.
    pub pcs: Vec<Pc>,
    cpin: String,
}

impl Agents {
    /// Starts a platform on which so many PCs may enrol.
    pub async fn start(options: &Options, engine: &Engine, count: u64) -> anyhow::Result<Self> {
        let database = Database::fresh(engine, &options.dir).await?;
        let mut platform = Platform::start(&options.server, database).await?;
        let sellers = Sellers::One(PARTNER);
        let (mut pcs, mut lines) = (Vec::new(), 0);
        while (pcs.len() as u64) < count {
            let sale = Sale::of(lines, &sellers);
            lines += 1;
            if let Some(level) = sale.level {
                let mut seed = [0x3c; 32];
                seed[..8].copy_from_slice(&lines.to_be_bytes());
                let key = SigningKey::from_bytes(&seed);
                pcs.push(Pc { key, serial: sale.serial, level, product_number: sale.product_number });
            }
        }
        let csv = generator::csv(0..lines, &sellers);
        let bytes = csv.len() as u64;
        let pieces = Pieces::new(Cursor::new(csv), bytes);
        let submitted = platform.distributor.post_csv("/api/v1/sell-through-reports", pieces).await?;
        let result = platform.until_done(text_at(&submitted, "/operation/id")?).await?;
        Platform::all_placed(&result, lines)?;
        let mut partner = transfer::partner(&platform).await?;
        let customer = transfer::customer(&mut partner).await?;
        let made = partner.post(&format!("/api/v1/customers/{customer}/cpins"), &json!({})).await?;
        let cpin = text_at(&made, "/cpin")?.to_owned();
        platform.database.settle().await?;
        Ok(Self { platform, customer, pcs, cpin })
    }

    /// The same PCs with a server that has done nothing before.
    pub async fn restarted(self) -> anyhow::Result<Self> {
        Ok(Self { platform: self.platform.restarted().await?, ..self })
    }

    /// Signs a POST of this PC's.
    pub fn post(&self, pc: &Pc, path: &str, body: &Value) -> Signed {
        Signed::post(self.platform.process.address, path, &pc.key, body)
    }

    /// Signs a GET of this PC's.
    pub fn get(&self, pc: &Pc, path: &str) -> Signed {
        Signed::get(self.platform.process.address, path, &pc.key)
    }

    /// The PC asks to join by the customer's cPIN.
    pub fn enrolment(&self, pc: &Pc) -> Signed {
        self.enrolment_by(pc, &self.cpin)
    }

    /// The same with a slip in the cPIN, which is refused.
    pub fn enrolment_with_slip(&self, pc: &Pc) -> anyhow::Result<Signed> {
        let mut letters: Vec<char> = self.cpin.chars().collect();
        let other = letters.iter().rposition(|letter| *letter != letters[0] && *letter != '-');
        letters.swap(0, other.context("a cPIN of one letter")?);
        let mut signed = self.enrolment_by(pc, &letters.into_iter().collect::<String>());
        signed.refused = true;
        Ok(signed)
    }

    fn enrolment_by(&self, pc: &Pc, cpin: &str) -> Signed {
        let wish = json!({
            "serial": pc.serial, "product_number": pc.product_number, "cpin": cpin,
            "public_key": key_text(&pc.key.verifying_key()),
        });
        self.post(pc, "enrolments", &wish)
    }

    /// The PC says how it is, in about 90 bytes.
    pub fn check_in(&self, pc: &Pc, health: Health) -> Signed {
        let used = if health == Health::Worn { 103 } else { 41 };
        let disk = json!({ "name": "nvme0n1", "passed": true, "percentage_used": used });
        self.post(pc, "check-ins", &json!({ "readings": { "disks": [disk] }, "agent": "0.1.0" }))
    }

    /// Lets every PC enrol.
    pub async fn enrol_all(&self) -> anyhow::Result<()> {
        let requests = self.pcs.iter().map(|pc| self.enrolment(pc)).collect();
        send_all(self.platform.process.address, Arc::new(requests), CONNECTIONS).await?;
        self.platform.database.settle().await?;
        let inside = self.platform.look_inside().await?;
        let there = inside.number("SELECT COUNT(*) FROM device_keys", &[]).await?;
        ensure!(there == i64::try_from(self.pcs.len())?, "{there} PCs have enrolled");
        Ok(())
    }

    /// Lets every PC check in.
    pub async fn check_in_all(&self, health: Health) -> anyhow::Result<()> {
        let requests = self.pcs.iter().map(|pc| self.check_in(pc, health)).collect();
        send_all(self.platform.process.address, Arc::new(requests), CONNECTIONS).await?;
        until_judged(&self.platform.look_inside().await?).await?;
        Ok(())
    }
}

/// Waits until what follows from the check-ins is written; how many seconds that took.
pub async fn until_judged(inside: &Inside) -> anyhow::Result<f64> {
    let start = Instant::now();
    while inside.number("SELECT COUNT(*) FROM check_ins_to_judge", &[]).await? > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
        ensure!(start.elapsed() < Duration::from_secs(20), "check-ins were not judged");
    }
    Ok(start.elapsed().as_secs_f64())
}
