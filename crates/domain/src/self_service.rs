//! The switch of a customer tenant over the pop-ups on its PCs (decision 11, behaviours 40 to 42).

use serde::{Deserialize, Serialize};

/// How the switch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// No PC was ever in the tenant.
    Unset,
    /// Pop-ups appear.
    On,
    /// None appears; alerts go on.
    Off,
}

impl Switch {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Switch::Unset => "unset",
            Switch::On => "on",
            Switch::Off => "off",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Switch::Unset, Switch::On, Switch::Off].into_iter().find(|switch| switch.as_str() == code)
    }
}

/// What the tenant has ever held. It is history: a PC that has left still counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Any PC.
    pub device: bool,
    /// A PC with Premium or Premium+.
    pub entitled: bool,
}

/// Why the switch cannot be turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It turns itself on with the first PC; until then there is nothing to turn.
    NoDeviceYet,
    /// It can be turned off after the first PC with Premium or Premium+.
    NoEntitledDeviceYet,
}

impl Refusal {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::NoDeviceYet => "self_service.no_device_yet",
            Refusal::NoEntitledDeviceYet => "self_service.no_entitled_device_yet",
        }
    }
}

/// Whether the switch may be turned to where it is wanted.
pub fn may_turn(wanted: Switch, held: Held) -> Result<(), Refusal> {
    match wanted {
        _ if !held.device => Err(Refusal::NoDeviceYet),
        Switch::Off if !held.entitled => Err(Refusal::NoEntitledDeviceYet),
        _ => Ok(()),
    }
}

/// Why the switch may not be off now, if so.
pub fn off_refused(held: Held) -> Option<Refusal> {
    may_turn(Switch::Off, held).err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b42_off_only_after_the_first_entitled_pc() {
        let nothing = Held::default();
        let device = Held { device: true, entitled: false };
        let entitled = Held { device: true, entitled: true };
        for (wanted, held, expected) in [
            (Switch::On, nothing, Err(Refusal::NoDeviceYet)),
            (Switch::Off, nothing, Err(Refusal::NoDeviceYet)),
            (Switch::On, device, Ok(())),
            (Switch::Off, device, Err(Refusal::NoEntitledDeviceYet)),
            (Switch::On, entitled, Ok(())),
            (Switch::Off, entitled, Ok(())),
        ] {
            assert_eq!(may_turn(wanted, held), expected, "{wanted:?} {held:?}");
        }
    }
}
