//! Uploads on their way: streamed to a file, measured and hashed, refused before they are whole if they are too large.

use std::path::{Path, PathBuf};

use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A file of ours that goes away with this value.
#[derive(Debug)]
pub struct Spooled {
    path: PathBuf,
    /// Its digest.
    pub sha256: [u8; 32],
    /// Its size.
    pub bytes: u64,
}

impl Spooled {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        // It is ours alone and holds nothing that is not kept elsewhere by now.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The size of a stored piece of a file.
const PIECE: usize = 1 << 20;

/// Why an upload was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// More bytes than the limit.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// The sender went away.
    #[error("the upload broke off: {0}")]
    Broken(String),
    /// Our own disk.
    #[error("the upload could not be written: {0}")]
    Disk(#[from] std::io::Error),
}

/// Whether the disk has no room left, or not for this file.
pub fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Writes a stream of pieces to a fresh file in `directory`.
pub async fn receive<B, E>(
    directory: &Path,
    name: &str,
    mut pieces: impl Stream<Item = Result<B, E>> + Unpin,
    limit: u64,
) -> Result<Spooled, SpoolError>
where
    B: AsRef<[u8]>,
    E: std::fmt::Display,
{
    tokio::fs::create_dir_all(directory).await?;
    let mut spooled = Spooled { path: directory.join(name), sha256: [0; 32], bytes: 0 };
    let mut file = tokio::fs::File::create(&spooled.path).await?;
    let mut sha = Sha256::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| SpoolError::Broken(error.to_string()))?;
        let piece = piece.as_ref();
        spooled.bytes += piece.len() as u64;
        if spooled.bytes > limit {
            return Err(SpoolError::TooLarge(limit));
        }
        sha.update(piece);
        file.write_all(piece).await?;
    }
    file.flush().await?;
    spooled.sha256 = sha.finalize().into();
    Ok(spooled)
}

/// The next piece of a file, of [`PIECE`] bytes but for the last; empty at the end.
pub async fn next_piece(file: &mut tokio::fs::File) -> std::io::Result<Vec<u8>> {
    let mut piece = Vec::new();
    file.take(PIECE as u64).read_to_end(&mut piece).await?;
    Ok(piece)
}

/// Removes what a server that was killed has left in the spool.
pub fn sweep(directory: &Path) -> std::io::Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    for file in std::fs::read_dir(directory)? {
        let file = file?;
        let name = file.file_name();
        if name.to_string_lossy().starts_with("upload-") || name.to_string_lossy().starts_with("ingest-") {
            std::fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_told_from_another_fault_and_leaves_no_file() {
        let spool = tempfile::TempDir::new().unwrap();
        let full = spool.path().join("upload-1");
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        let pieces = stream::iter([Ok::<_, std::io::Error>(vec![0; 1 << 16])]);
        let refused = receive(spool.path(), "upload-1", pieces, 1 << 20).await;
        assert!(matches!(&refused, Err(SpoolError::Disk(error)) if is_full(error)), "{refused:?}");
        assert!(full.symlink_metadata().is_err(), "what was begun is gone");
        let pieces = stream::iter([Ok::<_, std::io::Error>(vec![0; 1])]);
        let refused = receive(Path::new("/dev/null/spool"), "upload-1", pieces, 1 << 20).await;
        assert!(matches!(&refused, Err(SpoolError::Disk(error)) if !is_full(error)), "{refused:?}");
    }
}
