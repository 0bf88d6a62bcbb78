//! How long the processor held itself back for heat (Linux: the counters of x86's thermal monitor). A processor that counts
//! nothing says nothing.

use std::path::PathBuf;
use std::sync::Arc;

use roadstead_domain::clock::Clock;
use roadstead_domain::wire::readings::Readings;

use super::{Source, number};

/// Reads the counters of each processor package and compares them with the reading before.
pub(super) struct Throttling {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    /// Milliseconds held back until the reading before, and when that was, in microseconds.
    before: Option<(u64, i64)>,
}

impl Throttling {
    /// Of this machine, by this clock.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { directory: PathBuf::from("/sys/devices/system/cpu"), clock, before: None }
    }
}

impl Source for Throttling {
    fn name(&self) -> &'static str {
        "throttling"
    }

    fn read(&mut self, readings: &mut Readings) -> anyhow::Result<()> {
        let Ok(processors) = std::fs::read_dir(&self.directory) else { return Ok(()) };
        // Each processor of a package tells the package's time; the hottest package counts.
        let mut longest = None;
        for processor in processors {
            let time = processor?.path().join("thermal_throttle/package_throttle_total_time_ms");
            longest = longest.max(number(&time));
        }
        let Some(held_back) = longest else { return Ok(()) };
        let now = self.clock.now().0;
        if let Some((before, at)) = self.before.replace((held_back, now)) {
            let passed = u64::try_from((now - at) / 1000).unwrap_or(0);
            // A clock that was set, or a system that was started anew in between, says nothing.
            if passed > 0 && held_back >= before {
                readings.throttled_percent = Some(((held_back - before) * 100 / passed).min(100));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use roadstead_domain::clock::Micros;

    use super::*;

    struct Hand(Mutex<i64>);

    impl Clock for Hand {
        fn now(&self) -> Micros {
            Micros(*self.0.lock().unwrap() * 1_000_000)
        }
    }

    #[test]
    fn the_share_of_the_time_since_the_reading_before_is_told() {
        let directory = tempfile::TempDir::new().unwrap();
        let clock = Arc::new(Hand(Mutex::new(0)));
        let mut source =
            Throttling { directory: directory.path().to_owned(), clock: clock.clone(), before: None };
        let mut read = |seconds: i64, packages: &[u64]| {
            *clock.0.lock().unwrap() = seconds;
            for (n, time) in packages.iter().enumerate() {
                let processor = directory.path().join(format!("cpu{n}/thermal_throttle"));
                std::fs::create_dir_all(&processor).unwrap();
                std::fs::write(processor.join("package_throttle_total_time_ms"), format!("{time}\n"))
                    .unwrap();
            }
            let mut readings = Readings::default();
            source.read(&mut readings).unwrap();
            readings.throttled_percent
        };
        assert_eq!(read(0, &[]), None, "nothing counts");
        assert_eq!(read(10, &[5_000, 4_000]), None, "nothing to compare with");
        assert_eq!(read(20, &[5_000, 4_000]), Some(0));
        assert_eq!(read(30, &[7_500, 4_000]), Some(25));
        assert_eq!(read(40, &[7_500, 27_500]), Some(100));
        assert_eq!(read(40, &[7_500, 28_000]), None, "no time has passed");
        assert_eq!(read(50, &[0, 0]), None, "started anew");
        assert_eq!(read(60, &[1_000, 0]), Some(10));
    }
}
