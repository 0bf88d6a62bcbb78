//! Slows guessing down, by account and network address and by network address alone, for every node alike.

use roadstead_domain::access;
use roadstead_domain::throttle::Counted;
use roadstead_store::{throttle, users};
use sha2::{Digest, Sha256};

use super::Refused;
use crate::app::App;
use crate::http::ClientAddress;

/// What is counted, and by what: an account's address or none, and where the try came from.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// What.
    pub counted: Counted,
    /// The account's address, whether there is such an account or not.
    pub account: Option<&'a str>,
    /// From where; `None` where it does not matter.
    pub from: Option<ClientAddress>,
}

impl Key<'_> {
    /// What stands in the database.
    pub(super) fn hash(&self) -> [u8; 32] {
        let mut sha = Sha256::new();
        sha.update(self.counted.as_str());
        sha.update([0]);
        sha.update(self.account.map_or_else(String::new, users::email_key));
        sha.update([0]);
        sha.update(self.from.map_or_else(String::new, |from| from.network()));
        sha.finalize().into()
    }
}

/// Counts a try under each key, or refuses it; a refused one is not counted. Keys that others share come last, so that
/// nobody waits for each other crosswise.
pub(super) async fn count(app: &App, keys: &[Key<'_>]) -> Result<(), Refused> {
    let now = app.ambient.now();
    let mut tx = app.store.write(&access::system()).await?;
    for key in keys {
        if let Some(until) = throttle::count(&mut tx, key.counted, key.hash(), now).await? {
            let seconds = (until.0 - now.0 + 999_999) / 1_000_000;
            return Err(Refused::TooManyTries { seconds: seconds.max(1) });
        }
    }
    tx.commit().await?;
    Ok(())
}
