//! What a PC reads of its own health. Every part may be missing: a source that cannot be read is named in `unread`, and
//! never taken for good health.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The readings of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Readings {
    /// When they were taken, by the PC's clock, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<String>,
    /// Disks, by SMART or NVMe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<Disk>,
    /// Batteries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batteries: Vec<Battery>,
    /// Temperatures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub temperatures: Vec<Temperature>,
    /// How much of the time since the reading before the processor held itself back because it was too hot, percent; none
    /// where it does not say, and in the first reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_percent: Option<u64>,
    /// Memory errors since the start of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// File systems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Crashes of the last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crashes: Option<Crashes>,
    /// Sources that could not be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
}

/// A disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Disk {
    /// As the system names it.
    pub name: String,
    /// The model.
    pub model: String,
    /// The disk's own verdict on itself.
    pub passed: Option<bool>,
    /// Raw values of SMART attributes by number: 5, 187, 188, 197, 198 and the others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<u16, u64>,
    /// NVMe's critical warning bits.
    pub critical_warning: Option<u64>,
    /// NVMe's spare blocks, percent.
    pub available_spare: Option<u64>,
    /// The percentage below which the spare is low.
    pub available_spare_threshold: Option<u64>,
    /// How much of the expected life is used up, percent; may be more than 100.
    pub percentage_used: Option<u64>,
    /// NVMe's unrecovered errors.
    pub media_errors: Option<u64>,
}

/// A battery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Battery {
    /// As the system names it.
    pub name: String,
    /// Maker and model.
    pub model: String,
    /// What a full charge holds, in percent of the design.
    pub health_percent: Option<u32>,
    /// Charge cycles.
    pub cycles: Option<u32>,
}

/// A temperature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Temperature {
    /// What is measured.
    pub name: String,
    /// Degrees Celsius.
    pub celsius: i32,
    /// From where it is critical.
    pub critical: Option<i32>,
}

/// Memory errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Corrected by the memory itself.
    pub corrected: u64,
    /// Not corrected.
    pub uncorrected: u64,
}

/// A file system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Where it is mounted.
    pub name: String,
    /// Its size.
    pub total_bytes: u64,
    /// What is free.
    pub free_bytes: u64,
}

/// Crashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Crashes {
    /// Of the system's core.
    pub kernel: u32,
    /// Of programs.
    pub programs: u32,
}

/// A source that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unread {
    /// Which.
    pub source: String,
    /// Why, in English.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_missing_and_what_is_new_is_passed_over() {
        let read: Readings = serde_json::from_str(
            r#"{"disks":[{"name":"/dev/sda","attributes":{"5":8,"197":1}}],"tomorrow":{"x":1}}"#,
        )
        .unwrap();
        assert_eq!(read.disks[0].attributes.get(&5), Some(&8));
        assert_eq!(read.disks[0].passed, None);
        assert_eq!(serde_json::to_string(&Readings::default()).unwrap(), "{}");
    }
}
