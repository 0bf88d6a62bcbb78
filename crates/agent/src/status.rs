//! How the agent stands, for whoever has to look after the PC.

use std::fmt::Write;

use crate::agent::State;
use crate::config::Config;
use crate::machine;
use crate::platform::Platform;
use crate::record::Record;

/// Says it in a few lines; what cannot be read is said to be so.
pub fn status(platform: &dyn Platform, config: &Config) -> anyhow::Result<String> {
    let state: State = std::fs::read_to_string(config.state.join("state.json"))
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let waiting = |directory: &str| {
        let entries = std::fs::read_dir(config.state.join(directory)).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "json"))
    };
    let mut text = String::new();
    let service = platform.service_state().unwrap_or_else(|error| format!("unknown ({error:#})"));
    writeln!(text, "service:       {service}")?;
    writeln!(text, "platform:      {}", config.server)?;
    let serial =
        machine::identify(config).map_or_else(|error| format!("{error:#}"), |machine| machine.serial);
    writeln!(text, "serial:        {serial}")?;
    writeln!(text, "enrolled:      {}", if state.enrolled { "yes" } else { "no" })?;
    writeln!(text, "last check-in: {}", state.checked_in.as_deref().unwrap_or("never"))?;
    writeln!(text, "not sent yet:  {}", waiting("queue").count() + waiting("notices").count())?;
    for entry in waiting("pop-ups") {
        let read = std::fs::read_to_string(entry.path()).ok();
        let Some(record) = read.and_then(|text| serde_json::from_str::<Record>(&text).ok()) else { continue };
        let stands = match (record.case(), &record.ended) {
            (Some(case), _) => format!("case {}, {}", case.number, case.state),
            (None, Some(ended)) => format!("{ended:?}"),
            (None, None) if record.submission.is_some() => "submitted, not sent yet".to_owned(),
            (None, None) if record.viewed => "viewed".to_owned(),
            (None, None) if record.shown => "shown".to_owned(),
            (None, None) => "not shown yet".to_owned(),
        };
        writeln!(text, "pop-up:        {} ({stands})", record.pop_up.alert)?;
    }
    Ok(text.trim_end().to_owned())
}
