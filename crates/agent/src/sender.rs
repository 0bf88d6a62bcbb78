//! Sends what waits: first what became of pop-ups, then what the user submitted, each until the platform has answered.
//! Beside it runs what puts pop-ups on screens, so that a slow network never holds one up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::keeper::Keeper;
use crate::link::LinkError;
use crate::pace;
use crate::settings::Known;

/// Looks at what is due at least this often: clocks jump.
const LOOK: Duration = Duration::from_secs(60);

/// Puts on screens what is due, whenever something changes or its time comes.
pub async fn show(keeper: Arc<Keeper>) -> anyhow::Result<()> {
    let mut version = keeper.version();
    loop {
        version.borrow_and_update();
        keeper.show_what_is_due()?;
        let left = keeper.next_due().map_or(i64::MAX, |at| (at.0 - keeper.now().0) / 1000 + 10);
        let wait = Duration::from_millis(u64::try_from(left).unwrap_or(0)).min(LOOK);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = version.changed() => changed?,
        }
    }
}

/// Sends what waits, whenever something changes; while the platform cannot be reached, with growing patience.
pub async fn send(keeper: Arc<Keeper>, mut known: watch::Receiver<Known>) -> anyhow::Result<()> {
    let mut version = keeper.version();
    let mut failures = 0_u32;
    loop {
        known.wait_for(|known| known.enrolled).await?;
        version.borrow_and_update();
        match keeper.send_what_waits().await {
            Ok(()) => {
                failures = 0;
                version.changed().await?;
            }
            Err(LinkError::Later(why)) => {
                failures = failures.saturating_add(1);
                tracing::warn!(failures, "not sent yet: {why}");
                let wait = pace::after_failures(failures, pace::random(&keeper.ambient))
                    .min(Duration::from_secs(300));
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    // Somebody has just done something: worth a try at once.
                    changed = version.changed() => changed?,
                }
            }
            Err(LinkError::Refused { code, message, .. }) => {
                tracing::error!(code, "{message}");
                tokio::time::sleep(pace::after_failures(failures.max(4), pace::random(&keeper.ambient)))
                    .await;
            }
        }
    }
}
