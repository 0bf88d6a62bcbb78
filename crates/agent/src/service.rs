//! The agent as a service: everything that it does at once.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use roadstead_domain::clock::Ambient;
use tokio::net::TcpListener;

use crate::agent::Agent;
use crate::channel::Channel;
use crate::config::Config;
use crate::form;
use crate::health::Health;
use crate::keeper::Keeper;
use crate::platform::{Platform, This};
use crate::sender;

/// Runs until something fails that no waiting mends.
pub async fn run(config: Config, health: Health, ambient: Ambient) -> anyhow::Result<()> {
    let state = config.state.clone();
    let agent = Agent::new(config, health, ambient.clone())?;
    let (link, settings) = (agent.link(), agent.settings());
    let platform: Arc<dyn Platform> = Arc::new(This);
    link.speak(platform.language());
    let keeper = Keeper::open(&state, Arc::clone(&link), Arc::clone(&platform), ambient.clone())?;
    let keeper = Arc::new(keeper);
    let listener = listen(&state).await?;
    keeper.serves_at(listener.local_addr()?);
    let channel = Channel::new(&state, link, Arc::clone(&keeper), platform, settings.clone(), ambient);
    tokio::try_join!(
        check_in(agent),
        channel.run(),
        form::serve(listener, Arc::clone(&keeper)),
        sender::show(Arc::clone(&keeper)),
        sender::send(keeper, settings.subscribe()),
    )?;
    Ok(())
}

/// Joins and checks in for as long as the agent runs.
async fn check_in(mut agent: Agent) -> anyhow::Result<()> {
    loop {
        let wait = agent.step().await?;
        tokio::time::sleep(wait).await;
    }
}

/// Listens on the loopback, on the same port as before where that is free: a form that was opened before a restart goes
/// on.
async fn listen(state: &Path) -> anyhow::Result<TcpListener> {
    let file = state.join("form-port");
    let remembered = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
    let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if let Some(port) = remembered
        && let Ok(listener) = TcpListener::bind(at(port)).await
    {
        return Ok(listener);
    }
    let listener = TcpListener::bind(at(0)).await.context("no port on the loopback")?;
    std::fs::write(&file, listener.local_addr()?.port().to_string())?;
    Ok(listener)
}
