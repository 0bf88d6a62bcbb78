//! What the machine says of itself: serial, product number, domain, who is signed in. Linux says it in files; elsewhere
//! the config file does.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::config::Config;

/// Which PC this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The serial.
    pub serial: String,
    /// The product number; may be empty.
    pub product_number: String,
    /// The domain, if the PC belongs to one.
    pub domain: Option<String>,
}

/// Which PC this is, by the config file, else by the machine.
pub fn identify(config: &Config) -> anyhow::Result<Machine> {
    let serial = config.serial.clone().or_else(|| dmi("product_serial"));
    Ok(Machine {
        serial: serial.context(
            "the machine does not say its serial (is the agent root?): put it into the config file",
        )?,
        product_number: config.product_number.clone().or_else(|| dmi("product_sku")).unwrap_or_default(),
        domain: config.domain.clone().or_else(|| line("/proc/sys/kernel/domainname")),
    })
}

fn dmi(name: &str) -> Option<String> {
    line(&format!("/sys/class/dmi/id/{name}"))
}

/// The only line of a file, unless it says nothing.
fn line(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(Path::new(path)).ok()?;
    let text = text.trim();
    let nothing = ["", "(none)", "None", "Not Specified", "To be filled by O.E.M.", "Default string"];
    (!nothing.contains(&text)).then(|| text.to_owned())
}

/// Who is signed in at this moment. Asked only where the customer wants to know.
pub fn user() -> Option<String> {
    let output = Command::new("who").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().next().map(str::to_owned)
}
