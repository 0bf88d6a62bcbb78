//! Crashes of the last day, from the system's journal.

use std::path::Path;

use roadstead_domain::wire::readings::{Crashes, Readings};

use super::{Source, output};

/// Reads the journal.
pub(super) struct Journal;

impl Source for Journal {
    fn name(&self) -> &'static str {
        "crashes"
    }

    fn read(&mut self, readings: &mut Readings) -> anyhow::Result<()> {
        if !cfg!(target_os = "linux") {
            anyhow::bail!("only Linux has a journal");
        }
        let program = Path::new("journalctl");
        let arguments = ["--quiet", "--no-pager", "--since=-24h", "--output=json", "--output-fields=MESSAGE"];
        let kernel: Vec<&str> = arguments.into_iter().chain(["--dmesg", "--priority=crit"]).collect();
        // systemd-coredump writes one entry with this id for each program that crashed.
        const COREDUMP: &str = "MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1";
        let programs: Vec<&str> = arguments.into_iter().chain([COREDUMP]).collect();
        let (_, kernel) = output(program, &kernel)?;
        let (_, programs) = output(program, &programs)?;
        readings.crashes =
            Some(Crashes { kernel: count(&kernel, is_kernel_crash), programs: count(&programs, |_| true) });
        Ok(())
    }
}

/// The entries of a journal's JSON whose message is meant.
fn count(printed: &str, is_meant: impl Fn(&str) -> bool) -> u32 {
    let message = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(entry["MESSAGE"].as_str().unwrap_or_default().to_owned())
    };
    let meant = printed.lines().filter_map(message).filter(|message| is_meant(message)).count();
    u32::try_from(meant).unwrap_or(u32::MAX)
}

fn is_kernel_crash(message: &str) -> bool {
    ["Kernel panic", "Oops", "BUG:", "Machine check", "Hardware Error"]
        .iter()
        .any(|mark| message.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crashes_count() {
        let journal = "{\"MESSAGE\":\"BUG: unable to handle page fault\"}\n{\"MESSAGE\":\"usb 1-1: over-current\"}\n\
                       {\"MESSAGE\":\"mce: [Hardware Error]: Machine check events logged\"}\n{\"MESSAGE\":[1,2]}\nnonsense\n";
        assert_eq!(count(journal, is_kernel_crash), 2);
        assert_eq!(count(journal, |_| true), 4);
        assert_eq!(count("", |_| true), 0);
    }
}
