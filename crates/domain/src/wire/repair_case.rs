//! Repair cases as a PC sends and follows them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::pop_up::Recipient;

/// `POST repair-cases`: the user pressed Submit. 201 with the [`RepairCase`] when one was made; 200 with the one that is
/// there for a retry, a second press, a second user or a second form. Refused with 409 `pop_up.recipient_changed` (the
/// problem's `recipient` is the new one, nothing was sent), 410 `pop_up.withdrawn` or `pop_up.expired`, 404 for a
/// pop-up of another PC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submit {
    /// Made on the PC, the same with every retry.
    pub id: Uuid,
    /// The pop-up that was viewed.
    pub pop_up: Uuid,
    /// The `code` of the recipient that the user was shown.
    pub recipient: String,
    /// Whom to turn to.
    pub contact: Contact,
    /// What the user wants to say besides.
    #[serde(default)]
    pub text: String,
    /// When a visit would suit, in the user's words.
    #[serde(default)]
    pub preferred_times: String,
}

/// Whom to turn to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// Their name.
    pub name: String,
    /// An address for mails about each step; may be empty.
    pub email: String,
    /// A telephone number; may be empty. One of the two is needed.
    pub phone: String,
}

/// A case as its PC sees it: the answer of `POST repair-cases`, of `GET repair-cases/{id}`, of `POST
/// repair-cases/{id}/cancel` (an empty object; 409 `repair_case.too_late` once there is an appointment or parts were
/// ordered) and of `POST repair-cases/{id}/answer`, and the event `case` at each step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairCase {
    /// Which one.
    pub id: Uuid,
    /// The number that people read out.
    pub number: String,
    /// The pop-up it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pop_up: Option<Uuid>,
    /// Where it stands: a stable code.
    pub state: String,
    /// The same in words.
    pub state_text: String,
    /// Who has it.
    pub recipient: Recipient,
    /// When somebody comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<Appointment>,
    /// How often parts were ordered.
    #[serde(default)]
    pub part_orders: i64,
    /// What the repairer wants to know; answered by `POST repair-cases/{id}/answer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// What came of it, once it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Whether the user may cancel it now.
    pub can_cancel: bool,
}

/// When somebody comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// From, RFC 3339 in UTC.
    pub from: String,
    /// Until, RFC 3339 in UTC.
    pub until: String,
    /// The time zone in which it was made, by its IANA name.
    pub time_zone: String,
    /// What the repairer says about it.
    #[serde(default)]
    pub note: String,
}

/// `POST repair-cases/{id}/answer`: the user answers the repairer's question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The answer.
    pub text: String,
}
