//! What the tenant wants to know of persons, and whether this PC has joined: shared by all that the agent does at once.

use tokio::sync::watch;

/// What is known of the PC's tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Whether the platform knows this PC by its key.
    pub enrolled: bool,
    /// Whether to say who is signed in.
    pub collect_user: bool,
    /// Whether to say where the PC is.
    pub collect_location: bool,
}

/// Shared by all that the agent does at once.
pub type Settings = watch::Sender<Known>;
