//! The machine's health from real sources, behind one trait. A source that cannot be read says why, and never counts as
//! good health; a PC without a battery has none and is not told off for it.

mod battery;
mod crashes;
mod disks;
mod memory;
mod system;
mod throttling;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use roadstead_domain::clock::Clock;
use roadstead_domain::wire::readings::{Readings, Unread};

use crate::config::Config;

/// Something that can be read.
pub trait Source: Send {
    /// Its name, for what could not be read.
    fn name(&self) -> &'static str;
    /// Adds what it reads.
    fn read(&mut self, readings: &mut Readings) -> anyhow::Result<()>;
}

/// All sources of a machine.
pub struct Health(Vec<Box<dyn Source>>);

impl Health {
    /// The sources of this machine, by this clock.
    pub fn of_this_machine(config: &Config, clock: &Arc<dyn Clock>) -> Self {
        Self(vec![
            Box::new(disks::Smartctl::new(&config.smartctl)),
            Box::new(battery::Batteries),
            Box::new(system::System),
            Box::new(throttling::Throttling::new(clock.clone())),
            Box::new(memory::Edac::default()),
            Box::new(crashes::Journal),
        ])
    }

    /// Recorded readings: a file with one JSON object, or with one a line, of which each reading gives the next and the
    /// last one stays.
    pub fn recorded(file: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let whole: Result<Readings, _> = serde_json::from_str(&text);
        let mut recorded = match whole {
            Ok(readings) => vec![readings],
            Err(_) => {
                let lines = text.lines().filter(|line| !line.trim().is_empty());
                let read = lines.map(serde_json::from_str).collect::<Result<Vec<Readings>, _>>();
                read.with_context(|| format!("{} holds no readings", file.display()))?
            }
        };
        recorded.reverse();
        anyhow::ensure!(!recorded.is_empty(), "{} holds no readings", file.display());
        Ok(Self(vec![Box::new(Recorded(recorded))]))
    }

    /// Reads every source.
    pub fn read(&mut self) -> Readings {
        let mut readings = Readings::default();
        for source in &mut self.0 {
            if let Err(error) = source.read(&mut readings) {
                let (source, why) = (source.name().to_owned(), format!("{error:#}"));
                readings.unread.push(Unread { source, why });
            }
        }
        readings
    }
}

/// Readings from a file; the last one is last in time and first in the list.
struct Recorded(Vec<Readings>);

impl Source for Recorded {
    fn name(&self) -> &'static str {
        "recorded"
    }

    fn read(&mut self, readings: &mut Readings) -> anyhow::Result<()> {
        *readings = if self.0.len() > 1 { self.0.pop() } else { self.0.last().cloned() }.unwrap_or_default();
        Ok(())
    }
}

/// Runs a program for at most half a minute and gives what it prints; a hung disk must not hang the agent.
fn output(program: &Path, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    use std::io::Read;
    use std::process::{Command, Stdio};
    use std::time::Duration;
    let mut child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} cannot be run", program.display()))?;
    let Some(mut stdout) = child.stdout.take() else { anyhow::bail!("{} has no output", program.display()) };
    let (done, text) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut printed = String::new();
        let read = stdout.by_ref().take(4 << 20).read_to_string(&mut printed);
        let _ = done.send(read.map(|_| printed));
    });
    let printed = text.recv_timeout(Duration::from_secs(30));
    if printed.is_err() {
        child.kill()?;
    }
    let status = child.wait()?;
    let printed = printed.with_context(|| format!("{} did not end in 30 seconds", program.display()))??;
    Ok((status.code(), printed))
}

/// A number in a file of the system.
fn number(path: &Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_readings_one_or_many() {
        let directory = tempfile::TempDir::new().unwrap();
        let file = directory.path().join("readings.json");
        std::fs::write(&file, "{\"memory\": {\"corrected\": 1}}\n{\"memory\": {\"corrected\": 2}}\n")
            .unwrap();
        let mut health = Health::recorded(&file).unwrap();
        let mut next = || health.read().memory.unwrap().corrected;
        assert_eq!([next(), next(), next()], [1, 2, 2]);
        std::fs::write(&file, "{\n  \"volumes\": []\n}").unwrap();
        assert_eq!(Health::recorded(&file).unwrap().read(), Readings::default());
        for bad in ["", "nonsense", "[1]"] {
            std::fs::write(&file, bad).unwrap();
            assert!(Health::recorded(&file).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_source_that_fails_is_named() {
        let mut health = Health(vec![Box::new(disks::Smartctl::new(Path::new("/nowhere/smartctl")))]);
        let readings = health.read();
        assert_eq!(readings.unread[0].source, "disks");
        assert!(readings.unread[0].why.contains("cannot be run"), "{readings:?}");
    }
}
