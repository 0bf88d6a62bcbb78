//! What could not be sent yet: one file each, on the disk before it counts, sent in order. A day's worth is kept; of more
//! the oldest go.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The most entries that are kept: a day of check-ins.
const MOST: usize = 288;

/// The queue in its directory.
#[derive(Debug)]
pub struct Queue {
    directory: PathBuf,
}

impl Queue {
    /// Opens the queue, and sweeps away what was half written when the power went.
    pub fn open(directory: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "part") {
                fs::remove_file(path)?;
            }
        }
        Ok(Self { directory: directory.to_owned() })
    }

    /// The numbers of what waits, in order.
    fn numbers(&self) -> anyhow::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let number: Option<u64> = name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:012}.json"))
    }

    /// Adds an entry; it is on the disk when this returns.
    pub fn push(&self, text: &str) -> anyhow::Result<()> {
        let numbers = self.numbers()?;
        let number = numbers.last().map_or(1, |last| last + 1);
        let part = self.directory.join(format!("{number:012}.part"));
        let mut file = File::create(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, self.path(number))?;
        sync(&self.directory)?;
        for old in numbers.iter().take((numbers.len() + 1).saturating_sub(MOST)) {
            fs::remove_file(self.path(*old))?;
        }
        Ok(())
    }

    /// The oldest entry: its number and its text.
    pub fn first(&self) -> anyhow::Result<Option<(u64, String)>> {
        match self.numbers()?.first() {
            Some(number) => Ok(Some((*number, fs::read_to_string(self.path(*number))?))),
            None => Ok(None),
        }
    }

    /// Takes an entry out: it was sent, or never will be.
    pub fn remove(&self, number: u64) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.path(number))?)
    }
}

/// A rename lasts once its directory is on the disk.
#[cfg(unix)]
pub(crate) fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync(_directory: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_across_restarts_and_bounded() {
        let directory = tempfile::TempDir::new().unwrap();
        let queue = Queue::open(directory.path()).unwrap();
        assert!(queue.first().unwrap().is_none());
        queue.push("one").unwrap();
        queue.push("two").unwrap();
        fs::write(directory.path().join("000000000003.part"), "half").unwrap();
        let queue = Queue::open(directory.path()).unwrap();
        assert_eq!(queue.first().unwrap(), Some((1, "one".to_owned())));
        queue.remove(1).unwrap();
        assert_eq!(queue.first().unwrap(), Some((2, "two".to_owned())));
        queue.push("three").unwrap();
        assert_eq!(queue.numbers().unwrap(), [2, 3]);
        for n in 0..MOST {
            queue.push(&n.to_string()).unwrap();
        }
        assert_eq!(queue.numbers().unwrap().len(), MOST);
        assert_eq!(queue.first().unwrap().unwrap().1, "0");
    }
}
