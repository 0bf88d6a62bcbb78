//! Installs the agent in one command, with nobody at the PC, and says how it stands.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::config::Config;
use crate::platform::Platform;

/// What the config file says of a platform and a cPIN.
fn config_text(server: &str, cpin: Option<&str>) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let cpin = cpin.map(|cpin| format!("cpin = {}\n", quoted(cpin))).unwrap_or_default();
    format!("server = {}\n{cpin}", quoted(server))
}

/// Writes the config file, unless there is one and nothing new to say, and makes the program a service.
pub fn install(
    platform: &dyn Platform,
    path: &Path,
    server: Option<&str>,
    cpin: Option<&str>,
) -> anyhow::Result<()> {
    match server {
        Some(server) => write(path, &config_text(server, cpin))?,
        None => ensure!(cpin.is_none(), "--cpin needs --server"),
    }
    // What cannot be read would only fail later, with nobody looking.
    Config::read(path)?;
    platform.install(&std::env::current_exe()?, path)
}

/// A cPIN enrols PCs: only the file's owner reads it.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let part = path.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part).with_context(|| format!("cannot write {}", part.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(std::fs::rename(&part, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_file_reads_back_and_is_nobody_elses() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("agent.toml");
        write(&path, &config_text("https://roadstead.example", Some("7K3M-\"quoted\""))).unwrap();
        let config = Config::read(&path).unwrap();
        assert_eq!(config.server, "https://roadstead.example");
        assert_eq!(config.cpin.as_deref(), Some("7K3M-\"quoted\""));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        write(&path, &config_text("https://roadstead.example", None)).unwrap();
        assert_eq!(Config::read(&path).unwrap().cpin, None);
    }
}
