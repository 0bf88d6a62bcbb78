//! Batteries.

use anyhow::Context;
use roadstead_domain::wire::readings::{Battery, Readings};
use starship_battery::Manager;
use starship_battery::units::ratio::percent;

use super::Source;

/// Reads batteries.
pub(super) struct Batteries;

impl Source for Batteries {
    fn name(&self) -> &'static str {
        "battery"
    }

    fn read(&mut self, readings: &mut Readings) -> anyhow::Result<()> {
        // A PC without any has no place to look for one.
        let Ok(batteries) = Manager::new().and_then(|manager| manager.batteries()) else { return Ok(()) };
        for (number, battery) in batteries.enumerate() {
            let battery = battery.context("battery")?;
            let model =
                [battery.vendor(), battery.model()].into_iter().flatten().collect::<Vec<_>>().join(" ");
            readings.batteries.push(Battery {
                name: format!("BAT{number}"),
                model: model.trim().to_owned(),
                // Between 0 and 100, so nothing is cut off.
                health_percent: Some(battery.state_of_health().get::<percent>().round() as u32),
                cycles: battery.cycle_count(),
            });
        }
        Ok(())
    }
}
