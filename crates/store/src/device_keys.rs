//! Keys of PCs, and the nonces that keep a signed request from being taken twice.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::enrolment::Proof;
use roadstead_domain::ids::DeviceId;
use roadstead_domain::wire::signature::MOST_SKEW_SECONDS;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// A signed request, as far as it can be told from all others of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Once {
    /// The signature's own time, in seconds.
    created: i64,
    nonce: Uuid,
}

impl Once {
    /// By the key, the signature's time in seconds and its nonce.
    pub fn new(key: &[u8; 32], created: i64, nonce: &str) -> Self {
        let digest = Sha256::new().chain_update(key).chain_update(nonce).finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self { created, nonce: Uuid::from_bytes(half) }
    }

    /// The signature's time in seconds, and a text that stands for key and nonce.
    pub(crate) fn parts(self) -> (i64, String) {
        (self.created, self.nonce.simple().to_string())
    }

    /// A replay falls into the same slot, for it has the same time; old slots are forgotten whole.
    fn slot(self) -> i64 {
        self.created.div_euclid(MOST_SKEW_SECONDS)
    }
}

/// Notes that a request was seen; `false` if it had been already. The request must be near in time.
pub async fn see(tx: &mut Tx, once: Once) -> Result<bool> {
    let new = tx
        .execute(
            "INSERT INTO device_nonces (slot, nonce) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            args![once.slot(), once.nonce],
        )
        .await?;
    Ok(new == 1)
}

/// Forgets requests that are too old to be sent again.
pub async fn forget_nonces(tx: &mut Tx, now: Micros) -> Result<u64> {
    // Whatever is still near has a time within the skew before now.
    let oldest = (now.0.div_euclid(1_000_000) - MOST_SKEW_SECONDS).div_euclid(MOST_SKEW_SECONDS);
    tx.execute("DELETE FROM device_nonces WHERE slot < $1", args![oldest]).await
}

/// The PC that this key speaks for.
pub async fn find(tx: &mut Tx, scope: &Scope, public_key: &str) -> Result<Option<DeviceId>> {
    scope.platform()?;
    #[derive(serde::Deserialize, sqlx::FromRow)]
    struct Row {
        device: Uuid,
        replaced_at: Option<i64>,
    }
    // By the key alone: while little is known of the table, a plan with replaced_at in it may walk the index of PCs.
    let found: Option<Row> = tx
        .optional_quick(
            "SELECT device, replaced_at FROM device_keys WHERE public_key = $1",
            args![public_key],
        )
        .await?;
    Ok(found.filter(|row| row.replaced_at.is_none()).map(|row| DeviceId(row.device)))
}

/// Makes a key the PC's, in the place of the one it had. [`Error::Conflict`] if the key is another PC's.
pub async fn bind(
    tx: &mut Tx,
    scope: &Scope,
    device: DeviceId,
    public_key: &str,
    proof: Proof,
    generation: i64,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE device_keys SET replaced_at = $3 WHERE device = $1 AND public_key <> $2 AND replaced_at IS NULL",
        args![device, public_key, at],
    )
    .await?;
    let bound = tx
        .execute(
            "INSERT INTO device_keys (public_key, device, proof, generation, enrolled_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (public_key) DO UPDATE SET proof = excluded.proof, generation = excluded.generation, \
             replaced_at = NULL WHERE device_keys.device = excluded.device",
            args![public_key, device, proof.as_str(), generation, at],
        )
        .await?;
    if bound == 1 { Ok(()) } else { Err(Error::Conflict("device_keys".to_owned())) }
}
