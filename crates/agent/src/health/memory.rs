//! Memory errors that the memory controller counts (Linux: EDAC). Memory without error correction counts none.

use std::path::PathBuf;

use roadstead_domain::wire::readings::{Memory, Readings};

use super::{Source, number};

/// Reads the counters of memory controllers.
pub(super) struct Edac {
    directory: PathBuf,
}

impl Default for Edac {
    fn default() -> Self {
        Self { directory: PathBuf::from("/sys/devices/system/edac/mc") }
    }
}

impl Source for Edac {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn read(&mut self, readings: &mut Readings) -> anyhow::Result<()> {
        let Ok(controllers) = std::fs::read_dir(&self.directory) else { return Ok(()) };
        let mut memory = None;
        for controller in controllers {
            let path = controller?.path();
            if let (Some(corrected), Some(uncorrected)) =
                (number(&path.join("ce_count")), number(&path.join("ue_count")))
            {
                let sum: &mut Memory = memory.get_or_insert_default();
                sum.corrected += corrected;
                sum.uncorrected += uncorrected;
            }
        }
        readings.memory = memory;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_are_added_up() {
        let directory = tempfile::TempDir::new().unwrap();
        let read = |directory: &std::path::Path| {
            let mut readings = Readings::default();
            Edac { directory: directory.to_owned() }.read(&mut readings).unwrap();
            readings.memory
        };
        assert_eq!(read(&directory.path().join("none")), None);
        assert_eq!(read(directory.path()), None);
        for (name, corrected, uncorrected) in [("mc0", "3\n", "0\n"), ("mc1", "4\n", "1\n")] {
            let controller = directory.path().join(name);
            std::fs::create_dir(&controller).unwrap();
            std::fs::write(controller.join("ce_count"), corrected).unwrap();
            std::fs::write(controller.join("ue_count"), uncorrected).unwrap();
        }
        assert_eq!(read(directory.path()), Some(Memory { corrected: 7, uncorrected: 1 }));
    }
}
