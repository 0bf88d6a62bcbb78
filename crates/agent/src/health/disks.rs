//! Disks, by `smartctl`'s JSON: no code of ours speaks to a disk.

use std::path::{Path, PathBuf};

use anyhow::Context;
use roadstead_domain::wire::readings::{Disk, Readings};
use serde::Deserialize;

use super::{Source, output};

/// Reads disks by the program `smartctl`.
pub(super) struct Smartctl {
    program: PathBuf,
}

impl Smartctl {
    pub(super) fn new(program: &Path) -> Self {
        Self { program: program.to_owned() }
    }
}

impl Source for Smartctl {
    fn name(&self) -> &'static str {
        "disks"
    }

    fn read(&mut self, readings: &mut Readings) -> anyhow::Result<()> {
        let (_, scanned) = output(&self.program, &["--json", "--scan"])?;
        let scan: Scan = serde_json::from_str(&scanned).context("smartctl --scan")?;
        for device in scan.devices {
            // Its exit status tells of failing disks as well; what counts is what it prints.
            let arguments =
                ["--json", "--health", "--attributes", "--info", "-d", &device.kind, &device.name];
            let (_, printed) = output(&self.program, &arguments)?;
            readings.disks.push(disk(&device.name, &printed)?);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Scan {
    #[serde(default)]
    devices: Vec<Device>,
}

#[derive(Deserialize)]
struct Device {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Printed {
    model_name: String,
    smart_status: Option<Status>,
    ata_smart_attributes: Option<Attributes>,
    nvme_smart_health_information_log: Option<Nvme>,
}

#[derive(Deserialize)]
struct Status {
    passed: bool,
}

#[derive(Deserialize)]
struct Attributes {
    table: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    id: u16,
    raw: Raw,
}

#[derive(Deserialize)]
struct Raw {
    value: u64,
}

#[derive(Deserialize)]
struct Nvme {
    critical_warning: Option<u64>,
    available_spare: Option<u64>,
    available_spare_threshold: Option<u64>,
    percentage_used: Option<u64>,
    media_errors: Option<u64>,
}

/// One disk, of what smartctl prints about it.
fn disk(name: &str, printed: &str) -> anyhow::Result<Disk> {
    let printed: Printed = serde_json::from_str(printed).with_context(|| format!("smartctl {name}"))?;
    let mut disk = Disk {
        name: name.to_owned(),
        model: printed.model_name,
        passed: printed.smart_status.map(|status| status.passed),
        ..Disk::default()
    };
    for attribute in printed.ata_smart_attributes.into_iter().flat_map(|attributes| attributes.table) {
        disk.attributes.insert(attribute.id, attribute.raw.value);
    }
    if let Some(nvme) = printed.nvme_smart_health_information_log {
        disk.critical_warning = nvme.critical_warning;
        disk.available_spare = nvme.available_spare;
        disk.available_spare_threshold = nvme.available_spare_threshold;
        disk.percentage_used = nvme.percentage_used;
        disk.media_errors = nvme.media_errors;
    }
    Ok(disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ata_and_nvme_as_smartctl_prints_them() {
        let ata = r#"{"json_format_version":[1,0],"smartctl":{"version":[7,3],"exit_status":64},
            "device":{"name":"/dev/sda","type":"sat","protocol":"ATA"},"model_name":"Example SSD 512",
            "smart_status":{"passed":false},"ata_smart_attributes":{"revision":16,"table":[
            {"id":5,"name":"Reallocated_Sector_Ct","value":98,"worst":98,"thresh":10,"when_failed":"",
             "flags":{"value":51,"string":"PO--CK "},"raw":{"value":24,"string":"24"}},
            {"id":197,"name":"Current_Pending_Sector","value":100,"raw":{"value":3,"string":"3"}}]}}"#;
        let read = disk("/dev/sda", ata).unwrap();
        assert_eq!((read.passed, read.model.as_str()), (Some(false), "Example SSD 512"));
        assert_eq!((read.attributes[&5], read.attributes[&197]), (24, 3));
        let nvme = r#"{"model_name":"Example NVMe 1T","smart_status":{"passed":true,"nvme":{"value":0}},
            "nvme_smart_health_information_log":{"critical_warning":1,"temperature":40,"available_spare":8,
            "available_spare_threshold":10,"percentage_used":101,"media_errors":2}}"#;
        let read = disk("/dev/nvme0", nvme).unwrap();
        assert_eq!((read.critical_warning, read.percentage_used), (Some(1), Some(101)));
        assert_eq!((read.available_spare, read.available_spare_threshold), (Some(8), Some(10)));
        // A disk that does not answer says nothing of its health.
        let mute = disk("/dev/sdb", r#"{"smartctl":{"exit_status":2}}"#).unwrap();
        assert_eq!((mute.passed, mute.attributes.len()), (None, 0));
        assert!(disk("/dev/sdc", "no json").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_prints_like_smartctl_is_read() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::TempDir::new().unwrap();
        let program = directory.path().join("smartctl");
        let script = "#!/bin/sh\ncase \"$2\" in --scan) echo '{\"devices\":[{\"name\":\"/dev/sda\",\"type\":\"sat\"}]}';; \
                      *) echo '{\"smart_status\":{\"passed\":true}}'; exit 4;; esac\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let mut readings = Readings::default();
        Smartctl::new(&program).read(&mut readings).unwrap();
        assert_eq!((readings.disks.len(), readings.disks[0].passed), (1, Some(true)));
    }
}
