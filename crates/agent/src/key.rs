//! The PC's own Ed25519 key: made on the PC, kept in a file that only its owner reads, never sent anywhere (R6).

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};

/// Reads the key in this file (PKCS #8, PEM), or makes one there from these random bytes.
///
/// A key file that others can read is refused: whoever read it could speak for the PC.
pub fn load_or_create(path: &Path, entropy: &[u8; 32]) -> anyhow::Result<SigningKey> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            refuse_if_readable_by_others(path)?;
            SigningKey::from_pkcs8_pem(&text)
                .with_context(|| format!("{} holds no Ed25519 key", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(path, entropy),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Makes a directory that only its owner looks into: what users write into forms waits in it.
pub fn private_directory(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path)?;
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

fn create(path: &Path, entropy: &[u8; 32]) -> anyhow::Result<SigningKey> {
    let key = SigningKey::from_bytes(entropy);
    let text = key.to_pkcs8_pem(LineEnding::LF).context("the key cannot be written as PEM")?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot create {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(key)
}

#[cfg(unix)]
fn refuse_if_readable_by_others(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        anyhow::bail!("{} can be read by others (mode {:o}): set it to 0600", path.display(), mode & 0o777);
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_readable_by_others(_path: &Path) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let directory = tempfile::TempDir::new().unwrap();
        let state = directory.path().join("var/state");
        private_directory(&state).unwrap();
        assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
        let path = state.join("device.key");
        let key = load_or_create(&path, &[7; 32]).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = load_or_create(&path, &[8; 32]).unwrap();
        assert_eq!(key.verifying_key(), again.verifying_key(), "the key that is there stays");

        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(load_or_create(&path, &[8; 32]).unwrap_err().to_string().contains("0600"));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(&path, "no key").unwrap();
        assert!(load_or_create(&path, &[8; 32]).is_err());
    }
}
