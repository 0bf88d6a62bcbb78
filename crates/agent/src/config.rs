//! The agent's config file, TOML. What is not in it the machine says itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

/// The config.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The platform's address, `https://...`.
    pub server: String,
    /// The customer's cPIN; without it the PC joins by its serial or a zero-touch list.
    #[serde(default)]
    pub cpin: Option<String>,
    /// Where key, state and queue are kept.
    #[serde(default = "usual_state")]
    pub state: PathBuf,
    /// The serial, where the machine does not say it.
    #[serde(default)]
    pub serial: Option<String>,
    /// The product number, where the machine does not say it.
    #[serde(default)]
    pub product_number: Option<String>,
    /// The domain, where the machine does not say it.
    #[serde(default)]
    pub domain: Option<String>,
    /// Where the PC stands; sent only if the customer wants to know.
    #[serde(default)]
    pub location: Option<String>,
    /// The program that reads disks.
    #[serde(default = "usual_smartctl")]
    pub smartctl: PathBuf,
}

fn usual_state() -> PathBuf {
    PathBuf::from("/var/lib/roadstead-agent")
}

fn usual_smartctl() -> PathBuf {
    PathBuf::from("smartctl")
}

impl Config {
    /// Reads the file. An address without TLS is only taken for this machine itself.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut config: Self =
            toml::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))?;
        config.server = config.server.trim_end_matches('/').to_owned();
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let is_local = local.iter().any(|local| {
            config.server.strip_prefix(local).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        });
        if !config.server.starts_with("https://") && !is_local {
            bail!("{}: server must begin with https://", path.display());
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Config> {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("agent.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn what_is_read_and_what_is_refused() {
        let config = read("server = \"https://roadstead.example/\"\ncpin = \"7K3M\"").unwrap();
        assert_eq!(config.server, "https://roadstead.example");
        assert_eq!(config.state, Path::new("/var/lib/roadstead-agent"));
        assert!(read("server = \"http://127.0.0.1:8080\"").is_ok());
        for (text, told) in [
            ("server = \"http://roadstead.example\"", "https://"),
            ("server = \"http://localhost.evil.example\"", "https://"),
            ("server = \"https://a\"\ncipn = \"x\"", "cipn"),
            ("", "server"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
    }
}
