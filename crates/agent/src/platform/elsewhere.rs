//! Windows and macOS: the agent runs inside of the session of whoever is signed in. Written by the libraries' documents;
//! built for Windows and run under Wine, never built for macOS.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::Platform;
use crate::texts::Lang;

/// Windows or macOS.
pub struct Elsewhere;

impl Platform for Elsewhere {
    fn sessions(&self, program: &Path) -> Vec<(Lang, Command)> {
        vec![(self.language(), Command::new(program))]
    }

    fn language(&self) -> Lang {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok());
        Lang::of_locale(&locale.unwrap_or_default())
    }

    fn show(&self, address: &str) -> anyhow::Result<()> {
        let mut command = if cfg!(windows) { Command::new("explorer") } else { Command::new("open") };
        let opened = command.arg(address).status().context("no browser can be opened")?;
        // Windows' own answers with 1 even where it worked.
        ensure!(cfg!(windows) || opened.success(), "no browser was opened");
        Ok(())
    }

    fn install(&self, _program: &Path, _config: &Path) -> anyhow::Result<()> {
        bail!(
            "installing as a service has been written for Linux alone: start `roadstead-agent run` at sign-in"
        )
    }

    fn service_state(&self) -> anyhow::Result<String> {
        bail!("only Linux's services can be asked so far")
    }
}
