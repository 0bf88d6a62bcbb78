//! The event channel: what the platform has to say at once. It goes on after the last event that was taken in, on
//! whatever server, and comes back after a break with growing patience.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use roadstead_domain::clock::Ambient;
use roadstead_domain::wire::pop_up::{self as wire, Withdraw};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::keeper::Keeper;
use crate::link::{Link, LinkError};
use crate::pace;
use crate::platform::Platform;
use crate::settings::{Known, Settings};
use crate::sse::{Event, Parser};

/// The channel.
pub struct Channel {
    link: Arc<Link>,
    keeper: Arc<Keeper>,
    platform: Arc<dyn Platform>,
    settings: Settings,
    ambient: Ambient,
    last_file: PathBuf,
}

impl Channel {
    /// A channel that remembers in this directory where it was.
    pub fn new(
        state: &Path,
        link: Arc<Link>,
        keeper: Arc<Keeper>,
        platform: Arc<dyn Platform>,
        settings: Settings,
        ambient: Ambient,
    ) -> Self {
        Self { link, keeper, platform, settings, ambient, last_file: state.join("last-event") }
    }

    /// Follows the channel for as long as the agent runs.
    pub async fn run(&self) -> anyhow::Result<()> {
        let mut known = self.settings.subscribe();
        let mut failures = 0_u32;
        loop {
            joined(&mut known).await?;
            let wait = match self.follow(&mut failures).await {
                Ok(()) => pace::after_failures(1, pace::random(&self.ambient)),
                Err(error) => {
                    failures = failures.saturating_add(1);
                    tracing::info!(failures, "the event channel is closed: {error:#}");
                    pace::after_failures(failures, pace::random(&self.ambient))
                }
            };
            tokio::time::sleep(wait.min(Duration::from_secs(300))).await;
        }
    }

    async fn follow(&self, failures: &mut u32) -> anyhow::Result<()> {
        self.link.speak(self.platform.language());
        // Where nothing can be read, the platform tells again what is still valid.
        let last = std::fs::read_to_string(&self.last_file).ok().filter(|id| !id.is_empty());
        let mut stream = match self.link.follow("events", last.as_deref()).await {
            Ok(stream) => stream,
            Err(LinkError::Later(why)) => anyhow::bail!(why),
            Err(LinkError::Refused { code, message, .. }) => anyhow::bail!("{code}: {message}"),
        };
        let mut parser = Parser::resuming(last);
        tracing::info!("the event channel is open");
        while let Some(piece) = stream.chunk().await.context("the channel broke")? {
            *failures = 0;
            for event in parser.push(&piece)? {
                self.take(&event)?;
                if let Some(id) = &event.id {
                    self.remember(id)?;
                }
            }
        }
        Ok(())
    }

    /// Everything that an event brings is on the disk before its id is.
    fn take(&self, event: &Event) -> anyhow::Result<()> {
        match event.name.as_str() {
            "pop_up" => read(event).map_or(Ok(()), |pop_up| self.keeper.offered(pop_up)),
            "withdraw" => {
                read(event).map_or(Ok(()), |Withdraw { id, reason }| self.keeper.withdrawn(id, &reason))
            }
            "case" => read(event).map_or(Ok(()), |case| self.keeper.progressed(case)),
            "settings" => {
                if let Some(wire::Settings { collect_user, collect_location, .. }) = read(event) {
                    self.settings
                        .send_modify(|known| *known = Known { collect_user, collect_location, ..*known });
                }
                Ok(())
            }
            other => {
                tracing::debug!("an event {other} that this agent does not know");
                Ok(())
            }
        }
    }

    fn remember(&self, id: &str) -> anyhow::Result<()> {
        let part = self.last_file.with_extension("part");
        std::fs::write(&part, id)?;
        Ok(std::fs::rename(part, &self.last_file)?)
    }
}

/// What an event says. One that cannot be read is passed over, or it would come again for ever.
fn read<T: DeserializeOwned>(event: &Event) -> Option<T> {
    serde_json::from_str(&event.data)
        .inspect_err(|error| tracing::error!("the event {} cannot be read: {error}", event.name))
        .ok()
}

async fn joined(known: &mut watch::Receiver<Known>) -> anyhow::Result<()> {
    known.wait_for(|known| known.enrolled).await.map(|_| ()).context("the agent ends")
}
