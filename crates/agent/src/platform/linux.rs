//! Linux: sessions by their D-Bus under `/run/user`, pages by `xdg-open`, the service by systemd.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::Platform;
use crate::texts::Lang;

/// Linux.
pub struct Linux;

const UNIT: &str = "/etc/systemd/system/roadstead-agent.service";

impl Platform for Linux {
    fn sessions(&self, program: &Path) -> Vec<(Lang, Command)> {
        // Started inside of a session (by its user, not by the system), the agent serves that one.
        let own: Vec<(String, String)> = std::env::vars().collect();
        if value(&own, "DBUS_SESSION_BUS_ADDRESS").is_some() {
            return vec![(language(&own), Command::new(program))];
        }
        let Ok(users) = fs::read_dir("/run/user") else { return Vec::new() };
        users.flatten().filter_map(|user| session(&user.path(), program)).collect()
    }

    fn language(&self) -> Lang {
        let sessions = self.sessions(Path::new("true"));
        sessions.first().map_or_else(|| language(&[]), |(lang, _)| *lang)
    }

    fn show(&self, address: &str) -> anyhow::Result<()> {
        let opened = Command::new("xdg-open").arg(address).stdin(Stdio::null()).status();
        ensure!(opened.context("xdg-open cannot be run")?.success(), "xdg-open found no browser");
        Ok(())
    }

    fn install(&self, program: &Path, config: &Path) -> anyhow::Result<()> {
        fs::write(UNIT, unit(program, config))
            .with_context(|| format!("cannot write {UNIT} (are you root?)"))?;
        for arguments in
            [&["daemon-reload"][..], &["enable", "roadstead-agent"], &["restart", "roadstead-agent"]]
        {
            let done =
                Command::new("systemctl").args(arguments).status().context("systemctl cannot be run")?;
            ensure!(done.success(), "systemctl {} failed", arguments.join(" "));
        }
        Ok(())
    }

    fn service_state(&self) -> anyhow::Result<String> {
        let said = Command::new("systemctl").args(["is-active", "roadstead-agent"]).output();
        let said = said.context("systemctl cannot be run")?;
        Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    }
}

/// The session whose runtime directory this is, if somebody sits at a screen in it.
fn session(directory: &Path, program: &Path) -> Option<(Lang, Command)> {
    let bus = directory.join("bus");
    // Smaller numbers are the system's own, such as the screen on which people sign in.
    let owner = fs::metadata(directory).ok().filter(|owner| owner.uid() >= 1000 && bus.exists())?;
    let as_owner = |program: &Path| {
        let mut command = Command::new(program);
        // Without the service's environment and, where it is root, without its rights.
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("XDG_RUNTIME_DIR", directory);
        command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", bus.display())).current_dir("/");
        command.uid(owner.uid()).gid(owner.gid());
        command
    };
    let said = as_owner(Path::new("systemctl")).args(["--user", "show-environment"]).output().ok()?;
    let environment = environment(&String::from_utf8_lossy(&said.stdout));
    value(&environment, "DISPLAY").or(value(&environment, "WAYLAND_DISPLAY"))?;
    let mut command = as_owner(program);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    Some((language(&environment), command))
}

/// What `systemctl show-environment` prints; a value that needed quoting is of no use here.
fn environment(printed: &str) -> Vec<(String, String)> {
    let pairs = printed.lines().filter_map(|line| line.split_once('='));
    let plain = pairs.filter(|(_, value)| !value.starts_with("$'"));
    plain.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn value<'a>(environment: &'a [(String, String)], name: &str) -> Option<&'a str> {
    environment
        .iter()
        .find(|(known, value)| known == name && !value.is_empty())
        .map(|(_, value)| value.as_str())
}

/// The language of a session: what its user has set, else the system's.
fn language(environment: &[(String, String)]) -> Lang {
    let set = ["LC_ALL", "LC_MESSAGES", "LANGUAGE", "LANG"].iter().find_map(|name| value(environment, name));
    let file =
        || ["/etc/locale.conf", "/etc/default/locale"].iter().find_map(|path| fs::read_to_string(path).ok());
    match set {
        Some(locale) => Lang::of_locale(locale),
        None => file().map_or(Lang::En, |text| {
            let lines: Vec<(String, String)> = environment_file(&text);
            Lang::of_locale(value(&lines, "LANG").unwrap_or(""))
        }),
    }
}

fn environment_file(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.trim().split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// The service: only its main process ends with it, so that an update closes no pop-up.
fn unit(program: &Path, config: &Path) -> String {
    let quoted = |path: &Path| format!("\"{}\"", PathBuf::from(path).display());
    format!(
        "[Unit]\nDescription=Roadstead agent: this PC's health and repairs\nWants=network-online.target\n\
         After=network-online.target\n\n[Service]\nExecStart={} --config {} run\nRestart=always\nRestartSec=5\n\
         KillMode=process\nUMask=0077\n\n[Install]\nWantedBy=multi-user.target\n",
        quoted(program),
        quoted(config),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_session_says() {
        let said = environment("DISPLAY=:0\nLANG=de_DE.UTF-8\nPS1=$'a b'\nEMPTY=\nnonsense\n");
        assert_eq!(value(&said, "DISPLAY"), Some(":0"));
        assert_eq!((value(&said, "PS1"), value(&said, "EMPTY")), (None, None));
        assert_eq!(language(&said), Lang::De);
        let set =
            |name: &str| vec![("LANG".to_owned(), "de_DE".to_owned()), (name.to_owned(), "en_US".to_owned())];
        assert_eq!(language(&set("LC_ALL")), Lang::En);
        assert_eq!(language(&set("LC_TIME")), Lang::De);
        assert_eq!(environment_file("# x\nLANG=\"de_AT.UTF-8\"\n")[0].1, "de_AT.UTF-8");
        let text = unit(Path::new("/opt/a b/agent"), Path::new("/etc/agent.toml"));
        assert!(text.contains("ExecStart=\"/opt/a b/agent\" --config \"/etc/agent.toml\" run\n"), "{text}");
    }
}
