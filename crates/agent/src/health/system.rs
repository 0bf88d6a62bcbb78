//! Temperatures and file systems.

use roadstead_domain::wire::readings::{Readings, Temperature, Volume};
use sysinfo::{Components, Disks};

use super::Source;

/// Reads temperatures and file systems.
pub(super) struct System;

impl Source for System {
    fn name(&self) -> &'static str {
        "system"
    }

    fn read(&mut self, readings: &mut Readings) -> anyhow::Result<()> {
        for component in &Components::new_with_refreshed_list()? {
            if let Some(celsius) = component.temperature().filter(|celsius| celsius.is_finite()) {
                readings.temperatures.push(Temperature {
                    name: component.label().to_owned(),
                    // Whole degrees are what rules look at.
                    celsius: celsius.round() as i32,
                    critical: component.critical().map(|critical| critical.round() as i32),
                });
            }
        }
        let mut seen = Vec::new();
        for disk in &Disks::new_with_refreshed_list()? {
            // The same file system mounted twice is one.
            let device = disk.name().to_owned();
            if disk.total_space() == 0 || disk.is_removable() || seen.contains(&device) {
                continue;
            }
            seen.push(device);
            readings.volumes.push(Volume {
                name: disk.mount_point().display().to_string(),
                total_bytes: disk.total_space(),
                free_bytes: disk.available_space(),
            });
        }
        Ok(())
    }
}
