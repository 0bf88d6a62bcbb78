//! How fast each of many may come. Each node counts for itself, in memory: whoever floods two nodes is slowed at each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use roadstead_domain::clock::Micros;
use roadstead_domain::throttle;

/// The paces of PCs, by their keys.
#[derive(Debug, Default)]
pub struct Paces(Mutex<HashMap<String, Micros>>);

impl Paces {
    /// Takes a request of this key, or says how many seconds it has to wait. So many may come at once, and then one in `pace`
    /// seconds.
    pub fn take(&self, key: &str, now: Micros, pace: i64, at_once: u32) -> Result<(), i64> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counted) = paces.get_mut(key) {
            *counted = throttle::paced(*counted, now, pace, at_once)?;
            return Ok(());
        }
        if paces.len() == paces.capacity() {
            // Before it grows: whoever keeps the pace is not remembered.
            paces.retain(|_, counted| counted.0 > now.0);
        }
        paces.insert(key.to_owned(), now.plus_seconds(pace));
        Ok(())
    }
}
