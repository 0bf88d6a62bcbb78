//! What differs from one system to another, behind one trait: who sits at the PC, how to show them a page, how a service
//! is installed. Only Linux's side has been tested; the other is as short as it can be. How a pop-up is shown differs, too: `screen`.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::path::Path;
use std::process::Command;

use crate::texts::Lang;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Elsewhere as This;
#[cfg(target_os = "linux")]
pub use linux::Linux as This;

/// A system.
pub trait Platform: Send + Sync {
    /// Everybody who sits at a screen of this PC: their language, and how to run this program for them, in their session
    /// and with their rights.
    fn sessions(&self, program: &Path) -> Vec<(Lang, Command)>;

    /// The PC's language: of whoever sits at it, else the system's.
    fn language(&self) -> Lang;

    /// Shows this address in the browser of whoever runs this.
    fn show(&self, address: &str) -> anyhow::Result<()>;

    /// Makes this program a service with this config file that starts with the PC, and starts it.
    fn install(&self, program: &Path, config: &Path) -> anyhow::Result<()>;

    /// What the system says of the service.
    fn service_state(&self) -> anyhow::Result<String>;
}
