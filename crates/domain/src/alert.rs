//! Alerts: conditions of one PC. The rules are data: what is looked at, from where on it is an alert, and who is to know.
//! Nothing here has a memory; what is known of a PC already comes in, what follows goes out.

use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::wire::pop_up::Severity;
use crate::wire::readings::Readings;

/// Who is to know of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Hardware that wants a repair: a pop-up wherever pop-ups are on.
    Repair,
    /// The person at the PC can do something: a pop-up in a pool, where they are the only addressee (behaviour 27).
    User,
    /// Those who look after many PCs, also where it is of one: whoever sits there can do nothing about it. Exists in
    /// customer tenants only (docs/decisions/0053).
    Fleet,
}

/// A rule's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The stable code; its texts are `alert-<code>` and `alert-<code>-text`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Who is to know.
    pub audience: Audience,
    /// In how many check-ins in a row it has to be seen.
    pub confirmations: i64,
}

const fn kind(code: &'static str, severity: Severity, audience: Audience) -> Kind {
    Kind { code, severity, audience, confirmations: 1 }
}

/// The disk says of itself that it fails: SMART's overall verdict (ACS-4, SMART RETURN STATUS), or any bit of NVMe's
/// critical warning but the one of the temperature (NVM Express Base Specification 2.0, figure 207, byte 0).
pub const DISK_FAILING: Kind = kind("disk.failing", Severity::Critical, Audience::Repair);
/// The raw value of SMART 5, 187, 197 or 198 is above 0: of failed drives most, of sound ones few show one (Backblaze,
/// "What SMART Stats Tell Us About Hard Drives", 2016). 188 is above 0 on many sound drives and counts beside another only.
pub const DISK_PREDICTED: Kind = kind("disk.predicted_failure", Severity::Warning, Audience::Repair);
/// NVMe's available spare is below the disk's own threshold (NVM Express Base Specification 2.0, figure 207, bytes 3, 4).
pub const DISK_SPARE: Kind = kind("disk.spare_low", Severity::Critical, Audience::Repair);
/// NVMe's percentage used has reached 100: the maker's estimate of the disk's life (the same figure, byte 5).
pub const DISK_WORN: Kind = kind("disk.worn_out", Severity::Warning, Audience::Repair);
/// A full charge holds less than 50 percent of the design. Makers promise about 80 after some hundred cycles; the
/// threshold is ours.
pub const BATTERY_WORN: Kind = kind("battery.worn", Severity::Warning, Audience::Repair);
/// The battery is on a recall list: the operator's own, which names its source (`recall`), or told by a monitor.
pub const BATTERY_RECALL: Kind = kind("battery.recall", Severity::Critical, Audience::Repair);
/// Another part is on a recall list of the operator's, which names its source (`recall`), or told by a monitor.
pub const HARDWARE_RECALL: Kind = kind("hardware.recall", Severity::Warning, Audience::Repair);
/// At or above the critical temperature that the sensor itself names, in two check-ins in a row: what is hot for a
/// moment only is no fault. The number two is ours.
pub const THERMAL: Kind = Kind {
    code: "thermal.overheating",
    severity: Severity::Warning,
    audience: Audience::Repair,
    confirmations: 2,
};
/// The processor held itself back for heat in at least a fifth of the time, in two check-ins in a row (Intel 64 and IA-32
/// Architectures Software Developer's Manual, volume 3, "Thermal Monitoring and Protection": it does so at its own critical
/// temperature). A fifth and two are ours: a short full load in the sun is no fault.
pub const THERMAL_THROTTLING: Kind = Kind {
    code: "thermal.throttling",
    severity: Severity::Warning,
    audience: Audience::Repair,
    confirmations: 2,
};
/// Memory errors that nothing corrected: any (Linux EDAC, `ue_count`).
pub const MEMORY_FAILING: Kind = kind("memory.failing", Severity::Critical, Audience::Repair);
/// Ten corrected memory errors since the start (`ce_count`): modules with such errors are far likelier to show
/// uncorrected ones (Schroeder and others, "DRAM Errors in the Wild", 2009). The number ten is ours.
pub const MEMORY_ERRORS: Kind = kind("memory.errors", Severity::Warning, Audience::Repair);
/// Less than 5 percent of a file system of 1 GiB or more is free. The threshold is ours.
pub const DISK_FULL: Kind = kind("disk.full", Severity::Warning, Audience::User);
/// Three crashes of the system's core in a day. The number is ours.
pub const OS_CRASHES: Kind = kind("os.crashes", Severity::Warning, Audience::User);
/// An enrolled PC with a customer was silent for 14 days. The number is ours.
pub const HEARTBEAT_LOST: Kind = kind("heartbeat.lost", Severity::Info, Audience::Fleet);
/// The PC's entitlement ends within 30 days: a month ahead, as the programme's public help says.
pub const ENTITLEMENT_EXPIRING: Kind = kind("entitlement.expiring", Severity::Info, Audience::Fleet);
/// BIOS or drivers are out of date; told by a monitor.
pub const FIRMWARE_OUTDATED: Kind = kind("firmware.outdated", Severity::Info, Audience::Fleet);
/// A third-party monitor found broken hardware of some other kind.
pub const HARDWARE_FAULT: Kind = kind("hardware.fault", Severity::Warning, Audience::Repair);

/// Every kind.
pub const KINDS: [Kind; 17] = [
    DISK_FAILING,
    DISK_PREDICTED,
    DISK_SPARE,
    DISK_WORN,
    BATTERY_WORN,
    BATTERY_RECALL,
    HARDWARE_RECALL,
    THERMAL,
    THERMAL_THROTTLING,
    MEMORY_FAILING,
    MEMORY_ERRORS,
    DISK_FULL,
    OS_CRASHES,
    HEARTBEAT_LOST,
    ENTITLEMENT_EXPIRING,
    FIRMWARE_OUTDATED,
    HARDWARE_FAULT,
];

/// A silent PC's days until [`HEARTBEAT_LOST`].
pub const SILENT_DAYS: i64 = 14;

/// A PC that was last heard of before this instant is silent.
pub fn silent_before(now: Micros) -> Micros {
    now.plus_seconds(-SILENT_DAYS * 24 * 3600)
}

/// A PC that was not heard of for so many seconds counts as one that can show no pop-up. Agents check in every few minutes.
pub const SHOWS_FOR: i64 = 3600;

/// Whether a PC can show a pop-up: it has an agent, and that was heard of within [`SHOWS_FOR`]. One whose disk has died shows
/// none.
pub fn can_show(last_seen: Option<Micros>, now: Micros) -> bool {
    last_seen.is_some_and(|seen| seen >= now.plus_seconds(-SHOWS_FOR))
}

/// Days before the end of an entitlement until [`ENTITLEMENT_EXPIRING`].
pub const EXPIRING_DAYS: i64 = 30;
/// In so many check-ins in a row a condition must be gone before its alert closes by itself.
pub const GONE: i64 = 2;
/// How long a pop-up is good, in seconds. One that expired while the condition lasts is followed by another.
pub const POP_UP_SECONDS: i64 = 24 * 3600;

impl Kind {
    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Kind> {
        KINDS.into_iter().find(|kind| kind.code == code)
    }

    /// Whether one cause concerns many PCs: a recall list, or what monitors name, as a release of a BIOS. Storms of these are
    /// told apart by their cause; of the others it is a part of the one PC.
    pub fn shares_causes(self) -> bool {
        [BATTERY_RECALL, HARDWARE_RECALL, FIRMWARE_OUTDATED, HARDWARE_FAULT].contains(&self)
    }
}

/// A condition that readings show. Kind and cause together are what is not told twice of one PC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind's code.
    pub kind: String,
    /// Which part: the disk, the battery, the sensor; empty where there is one only.
    pub cause: String,
    /// What was read, for the repairer.
    pub detail: String,
}

/// Judges readings, and says which kinds they could speak about: of the others nothing is known.
pub fn judge(readings: &Readings) -> (Vec<Finding>, Vec<&'static str>) {
    let mut found: Vec<Finding> = Vec::new();
    let mut looked_at = Vec::new();
    let mut add = |kind: Kind, cause: &str, detail: String| {
        // Parts of one name cannot be told apart.
        if !found.iter().any(|known| known.kind == kind.code && known.cause == cause) {
            found.push(Finding { kind: kind.code.to_owned(), cause: cause.to_owned(), detail });
        }
    };
    if !readings.disks.is_empty() {
        looked_at.extend([DISK_FAILING, DISK_PREDICTED, DISK_SPARE, DISK_WORN].map(|kind| kind.code));
    }
    for disk in &readings.disks {
        const TEMPERATURE: u64 = 0b10;
        let warning = disk.critical_warning.unwrap_or(0) & !TEMPERATURE;
        if disk.passed == Some(false) || warning != 0 {
            let passed = if disk.passed == Some(false) { "SMART failed" } else { "SMART passed" };
            add(DISK_FAILING, &disk.name, format!("{passed}, critical warning {warning:#04x}"));
        }
        // 188 packs three counters; the lowest 16 bits are the timeouts.
        let raw =
            |id: u16| disk.attributes.get(&id).map_or(0, |raw| if id == 188 { raw & 0xffff } else { *raw });
        if [5, 187, 197, 198].iter().any(|id| raw(*id) > 0) {
            let values: Vec<String> =
                [5, 187, 188, 197, 198].iter().map(|id| format!("{id}={}", raw(*id))).collect();
            add(DISK_PREDICTED, &disk.name, format!("SMART {}", values.join(" ")));
        }
        if let (Some(spare), Some(least)) = (disk.available_spare, disk.available_spare_threshold)
            && spare < least
        {
            add(DISK_SPARE, &disk.name, format!("spare {spare} %, threshold {least} %"));
        }
        if let Some(used) = disk.percentage_used.filter(|used| *used >= 100) {
            add(DISK_WORN, &disk.name, format!("used {used} %"));
        }
    }
    if !readings.batteries.is_empty() {
        looked_at.push(BATTERY_WORN.code);
    }
    for battery in &readings.batteries {
        if let Some(health) = battery.health_percent.filter(|health| *health < 50) {
            add(BATTERY_WORN, &battery.name, format!("holds {health} % of the design"));
        }
    }
    if !readings.temperatures.is_empty() {
        looked_at.push(THERMAL.code);
    }
    for sensor in &readings.temperatures {
        if let Some(critical) =
            sensor.critical.filter(|critical| *critical > 0 && sensor.celsius >= *critical)
        {
            add(THERMAL, &sensor.name, format!("{} °C, critical {critical} °C", sensor.celsius));
        }
    }
    if let Some(percent) = readings.throttled_percent {
        looked_at.push(THERMAL_THROTTLING.code);
        if percent >= 20 {
            add(THERMAL_THROTTLING, "", format!("held back {percent} % of the time"));
        }
    }
    if let Some(memory) = readings.memory {
        looked_at.extend([MEMORY_FAILING.code, MEMORY_ERRORS.code]);
        if memory.uncorrected > 0 {
            add(MEMORY_FAILING, "", format!("{} uncorrected errors", memory.uncorrected));
        } else if memory.corrected >= 10 {
            add(MEMORY_ERRORS, "", format!("{} corrected errors", memory.corrected));
        }
    }
    if !readings.volumes.is_empty() {
        looked_at.push(DISK_FULL.code);
    }
    for volume in &readings.volumes {
        if volume.total_bytes >= 1 << 30 && volume.free_bytes < volume.total_bytes / 20 {
            let free = volume.free_bytes / 1_000_000;
            add(DISK_FULL, &volume.name, format!("{free} MB free"));
        }
    }
    if let Some(crashes) = readings.crashes {
        looked_at.push(OS_CRASHES.code);
        if crashes.kernel >= 3 {
            add(OS_CRASHES, "", format!("{} crashes in a day", crashes.kernel));
        }
    }
    (found, looked_at)
}

/// Where a PC is, as far as pop-ups are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In no tenant.
    Nowhere,
    /// In a partner's pool, which cannot be silenced.
    Pool,
    /// In a customer tenant; whether its switch is off.
    Customer {
        /// The switch is off.
        off: bool,
    },
}

/// Whether an alert of this kind is raised for a PC in this place.
pub fn is_raised(kind: Kind, place: Place) -> bool {
    match place {
        Place::Nowhere => false,
        Place::Pool => kind.audience != Audience::Fleet,
        Place::Customer { .. } => true,
    }
}

/// Whether it makes a pop-up there (behaviours 2, 3, 27, 46 to 48).
pub fn pops_up(kind: Kind, place: Place, is_entitled: bool) -> bool {
    is_entitled
        && match place {
            Place::Nowhere => false,
            Place::Pool => kind.audience != Audience::Fleet,
            Place::Customer { off } => !off && kind.audience == Audience::Repair,
        }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::wire::readings::{Battery, Crashes, Disk, Memory, Temperature, Volume};

    fn codes(readings: &Readings) -> Vec<String> {
        judge(readings).0.into_iter().map(|finding| finding.kind).collect()
    }

    #[test]
    fn a_pc_that_is_silent_shows_no_pop_up() {
        let now = Micros(1_795_374_000_000_000);
        let before = |seconds: i64| now.plus_seconds(-seconds);
        for (last_seen, expected) in [
            (None, false),
            (Some(now), true),
            (Some(before(SHOWS_FOR)), true),
            (Some(Micros(before(SHOWS_FOR).0 - 1)), false),
            (Some(before(400 * 24 * 3600)), false),
        ] {
            assert_eq!(can_show(last_seen, now), expected, "{last_seen:?}");
        }
    }

    #[test]
    fn disks_by_table() {
        let smart = |values: &[(u16, u64)]| Disk {
            attributes: values.iter().copied().collect::<BTreeMap<_, _>>(),
            passed: Some(true),
            ..Disk::default()
        };
        for (disk, expected) in [
            (smart(&[(5, 0), (187, 0), (197, 0), (198, 0)]), None),
            (smart(&[(188, 7)]), None),
            (smart(&[(188, 0x1_0000_0000)]), None),
            (smart(&[(5, 8)]), Some("disk.predicted_failure")),
            (smart(&[(187, 1)]), Some("disk.predicted_failure")),
            (smart(&[(197, 1)]), Some("disk.predicted_failure")),
            (smart(&[(198, 1), (188, 3)]), Some("disk.predicted_failure")),
            (Disk { passed: Some(false), ..Disk::default() }, Some("disk.failing")),
            (Disk { critical_warning: Some(0), ..Disk::default() }, None),
            (Disk { critical_warning: Some(0b10), ..Disk::default() }, None),
            (Disk { critical_warning: Some(0b100), ..Disk::default() }, Some("disk.failing")),
            (
                Disk { available_spare: Some(9), available_spare_threshold: Some(10), ..Disk::default() },
                Some("disk.spare_low"),
            ),
            (
                Disk { available_spare: Some(10), available_spare_threshold: Some(10), ..Disk::default() },
                None,
            ),
            (Disk { percentage_used: Some(99), ..Disk::default() }, None),
            (Disk { percentage_used: Some(100), ..Disk::default() }, Some("disk.worn_out")),
        ] {
            let readings = Readings { disks: vec![disk.clone()], ..Readings::default() };
            assert_eq!(codes(&readings), Vec::from_iter(expected), "{disk:?}");
        }
    }

    #[test]
    fn parts_of_one_name_are_found_once() {
        let worn = |used| Disk { name: "nvme0".to_owned(), percentage_used: Some(used), ..Disk::default() };
        let readings = Readings { disks: vec![worn(100), worn(101)], ..Readings::default() };
        let (found, _) = judge(&readings);
        assert_eq!((found.len(), found[0].detail.as_str()), (1, "used 100 %"));
    }

    #[test]
    fn the_others_by_table() {
        let battery = |health| Readings {
            batteries: vec![Battery { health_percent: health, ..Battery::default() }],
            ..Readings::default()
        };
        let hot = |celsius, critical| Readings {
            temperatures: vec![Temperature { celsius, critical, ..Temperature::default() }],
            ..Readings::default()
        };
        let memory = |corrected, uncorrected| Readings {
            memory: Some(Memory { corrected, uncorrected }),
            ..Readings::default()
        };
        let volume = |total_bytes, free_bytes| Readings {
            volumes: vec![Volume { total_bytes, free_bytes, ..Volume::default() }],
            ..Readings::default()
        };
        let crashes =
            |kernel| Readings { crashes: Some(Crashes { kernel, programs: 9 }), ..Readings::default() };
        for (readings, expected) in [
            (Readings::default(), None),
            (battery(None), None),
            (battery(Some(50)), None),
            (battery(Some(49)), Some("battery.worn")),
            (hot(99, Some(100)), None),
            (hot(100, None), None),
            (hot(100, Some(100)), Some("thermal.overheating")),
            (Readings { throttled_percent: Some(19), ..Readings::default() }, None),
            (Readings { throttled_percent: Some(20), ..Readings::default() }, Some("thermal.throttling")),
            (memory(9, 0), None),
            (memory(10, 0), Some("memory.errors")),
            (memory(10, 1), Some("memory.failing")),
            (volume(100 << 30, 5 << 30), None),
            (volume(100 << 30, 4 << 30), Some("disk.full")),
            (volume(1 << 20, 0), None),
            (crashes(2), None),
            (crashes(3), Some("os.crashes")),
        ] {
            assert_eq!(codes(&readings), Vec::from_iter(expected), "{readings:?}");
        }
        assert_eq!(judge(&Readings::default()).1, [""; 0], "of what was not read nothing is known");
    }

    #[test]
    fn what_agents_read_is_of_one_pc_and_shares_no_cause() {
        let looked_at = judge(&Readings {
            disks: vec![Disk::default()],
            batteries: vec![Battery::default()],
            temperatures: vec![Temperature::default()],
            throttled_percent: Some(0),
            memory: Some(Memory { corrected: 0, uncorrected: 0 }),
            volumes: vec![Volume::default()],
            crashes: Some(Crashes { kernel: 0, programs: 0 }),
            ..Readings::default()
        })
        .1;
        for kind in KINDS {
            let of_the_platform = [HEARTBEAT_LOST, ENTITLEMENT_EXPIRING].contains(&kind);
            let is_of_one = of_the_platform || looked_at.contains(&kind.code);
            assert_eq!(kind.shares_causes(), !is_of_one, "{kind:?}");
        }
    }

    #[test]
    fn b03_b27_b46_pop_ups_by_table() {
        let (on, off) = (Place::Customer { off: false }, Place::Customer { off: true });
        for (kind, pool, customer) in [
            (DISK_FAILING, true, true),
            (DISK_FULL, true, false),
            (HEARTBEAT_LOST, false, false),
            (ENTITLEMENT_EXPIRING, false, false),
        ] {
            assert_eq!(pops_up(kind, Place::Pool, true), pool, "{kind:?}");
            assert_eq!(pops_up(kind, on, true), customer, "{kind:?}");
            for place in [Place::Nowhere, Place::Pool, on, off] {
                assert!(!pops_up(kind, place, false), "{kind:?} without entitlement at {place:?}");
            }
            assert!(!pops_up(kind, off, true) && !pops_up(kind, Place::Nowhere, true));
            assert!(is_raised(kind, off) && !is_raised(kind, Place::Nowhere));
            assert_eq!(is_raised(kind, Place::Pool), pool);
        }
        // None of those that a pool raises is dropped.
        for kind in KINDS {
            assert_eq!(pops_up(kind, Place::Pool, true), is_raised(kind, Place::Pool), "{kind:?}");
        }
    }
}
