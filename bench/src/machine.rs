//! What the kernel says of the machine, of a process and of this thread.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

/// Clock ticks of `/proc/*/stat` in a second; Linux has had 100 for every program on every architecture.
const TICKS: f64 = 100.0;

/// Where the figures were taken.
#[derive(Debug, Serialize)]
pub struct Machine {
    processor: String,
    cores: usize,
    memory_mb: u64,
    kernel: String,
    /// Of the directory with the data.
    filesystem: String,
    /// Median of 4 KiB appended and forced to disk there.
    fsync_ms: f64,
    sqlite_of_floors: &'static str,
    server: String,
    commit: String,
}

impl Machine {
    /// Looks around.
    pub fn look(directory: &Path, server: &Path) -> anyhow::Result<Self> {
        let first = |path: &str, key: &str| -> anyhow::Result<String> {
            let text = std::fs::read_to_string(path)?;
            let line = text.lines().find(|line| line.starts_with(key));
            let value = line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim());
            Ok(value.to_owned())
        };
        let said = |program: &Path, args: &[&str]| {
            let output = std::process::Command::new(program).args(args).output().ok()?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let memory = first("/proc/meminfo", "MemTotal")?;
        let memory: u64 = memory.trim_end_matches("kB").trim().parse().context("MemTotal")?;
        Ok(Self {
            processor: first("/proc/cpuinfo", "model name")?,
            cores: std::thread::available_parallelism()?.get(),
            memory_mb: memory / 1024,
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            filesystem: filesystem(directory)?,
            fsync_ms: crate::report::figure(fsync_ms(directory)?),
            sqlite_of_floors: rusqlite::version(),
            server: said(server, &["--version"])
                .with_context(|| format!("{} does not run", server.display()))?,
            commit: said(
                Path::new("git"),
                &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"],
            )
            .unwrap_or_default(),
        })
    }
}

/// The filesystem that this directory is on. One in memory forces nothing to disk, so its figures mean nothing.
fn filesystem(directory: &Path) -> anyhow::Result<String> {
    let directory = directory.canonicalize()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
    let kinds = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?, words.next()?);
        directory.starts_with(at).then_some((at.len(), kind))
    });
    let kind = kinds.max_by_key(|(length, _)| *length).map_or("unknown", |(_, kind)| kind);
    anyhow::ensure!(
        kind != "tmpfs",
        "{} is in memory: name a directory on disk with --dir",
        directory.display()
    );
    Ok(kind.to_owned())
}

fn fsync_ms(directory: &Path) -> anyhow::Result<f64> {
    let mut file = tempfile::tempfile_in(directory)?;
    let mut times = Vec::new();
    for _ in 0..21 {
        let start = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(Spread::of(&times).median)
}

/// Lets earlier runs' writes reach the disk, so that nobody pays for another.
pub async fn settle() -> anyhow::Result<()> {
    let status = tokio::process::Command::new("sync").status().await.context("sync")?;
    anyhow::ensure!(status.success(), "sync failed");
    Ok(())
}

/// The share of both processors' time that nobody uses, over a second.
pub async fn idle_share() -> anyhow::Result<f64> {
    let (before, all_before) = idle_ticks()?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (after, all_after) = idle_ticks()?;
    Ok((after - before) / (all_after - all_before).max(1.0))
}

/// Idle ticks (waiting for the disk is idle too) and all ticks.
fn idle_ticks() -> anyhow::Result<(f64, f64)> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("/proc/stat is empty")?;
    let ticks: Vec<f64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    anyhow::ensure!(ticks.len() >= 8, "/proc/stat has too few columns");
    Ok((ticks[3] + ticks[4], ticks[..8].iter().sum()))
}

/// Milliseconds of processor that a process has used.
pub fn cpu_ms(process: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).context("the process is gone")?;
    // The name before the last bracket may hold anything.
    let (_, rest) = text.rsplit_once(')').context("/proc/*/stat")?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| words.get(at).and_then(|word| word.parse::<f64>().ok()).context("/proc/*/stat");
    Ok((ticks(11)? + ticks(12)?) * 1000.0 / TICKS)
}

/// Milliseconds of processor that a process, its children and those of them that have ended have used.
pub fn family_cpu_ms(parent: u32) -> anyhow::Result<f64> {
    let mut ticks = 0.0;
    for entry in std::fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        // Who ends meanwhile is counted with the parent the next time.
        let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let Some((_, rest)) = text.rsplit_once(')') else { continue };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
        if pid == parent {
            ticks += number(11) + number(12) + number(13) + number(14);
        } else if words.get(1).and_then(|word| word.parse().ok()) == Some(parent) {
            ticks += number(11) + number(12);
        }
    }
    anyhow::ensure!(ticks > 0.0, "process {parent} is gone");
    Ok(ticks * 1000.0 / TICKS)
}

/// The most memory, in megabytes of 10^6 bytes, that a process ever had resident.
pub fn peak_mb(process: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).context("the process is gone")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().context("VmHWM")?;
    Ok(kib * 1024.0 / 1e6)
}

/// Bytes that a process has resident, and its share of them where others have them too.
pub fn memory(process: u32) -> anyhow::Result<(f64, f64)> {
    let text =
        std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).context("the process is gone")?;
    let bytes = |name: &str| -> anyhow::Result<f64> {
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().context("smaps_rollup")?;
        Ok(kib * 1024.0)
    };
    Ok((bytes("Rss:")?, bytes("Pss:")?))
}

/// Lets this process, and what it starts from now on, have so many files and connections open.
pub fn open_files(needed: u64) -> anyhow::Result<()> {
    let limits = || -> anyhow::Result<(u64, u64)> {
        let text = std::fs::read_to_string("/proc/self/limits")?;
        let line = text.lines().find_map(|line| line.strip_prefix("Max open files"));
        let mut words = line.context("no limit of open files")?.split_whitespace();
        let mut number = || words.next().map_or(0, |word| word.parse().unwrap_or(u64::MAX));
        Ok((number(), number()))
    };
    let (soft, hard) = limits()?;
    if soft >= needed {
        return Ok(());
    }
    anyhow::ensure!(
        hard >= needed,
        "{needed} open files are needed, and the hard limit (ulimit -Hn) is {hard}"
    );
    let mut command = std::process::Command::new("prlimit");
    command.args(["--pid", &std::process::id().to_string(), &format!("--nofile={needed}:{hard}")]);
    anyhow::ensure!(command.status().context("prlimit")?.success(), "{command:?} failed");
    anyhow::ensure!(limits()?.0 >= needed, "the limit of open files stays as it was");
    Ok(())
}

/// Milliseconds of processor that this thread has used.
pub fn thread_cpu_ms() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: f64 = text.split(' ').next().unwrap_or("").parse().context("schedstat")?;
    Ok(nanos / 1e6)
}

/// The least, the middle and the most of some figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The middle one, or the mean of the two.
    pub median: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of these; all zero of none.
    pub fn of(figures: &[f64]) -> Self {
        let mut sorted = figures.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (Some(min), Some(max)) = (sorted.first(), sorted.last()) else { return Self::default() };
        let half = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 };
        Self { min: *min, median, max: *max }
    }
}

/// The figure that this share of all is not above: the nearest rank.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_and_ranks() {
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Spread { min: 1.0, median: 2.0, max: 3.0 });
        assert_eq!(Spread::of(&[4.0, 1.0]).median, 2.5);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((percentile(&hundred, 0.5), percentile(&hundred, 0.99)), (50.0, 99.0));
        assert_eq!(percentile(&hundred[..30], 0.99), 30.0);
        assert_eq!(percentile(&[], 0.99), 0.0);
    }
}
