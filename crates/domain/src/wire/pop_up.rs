//! Pop-ups on their way to a PC: the events of its channel, and what its form shows.
//!
//! `GET /device/v1/events` is a signed request whose answer is a stream of server-sent events: `settings` first, then
//! each `pop_up` that is still good, `withdraw` and `case`. Each carries an id; with `Last-Event-ID` the stream goes on
//! after it, without it begins with what is good now. A comment comes at least once a minute. Texts are in the language
//! of `Accept-Language`. The same pop-up may be told again, with other texts or another recipient: it is the same
//! one by its `id`, and is not shown a second time.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::repair_case::RepairCase;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be seen to soon.
    Warning,
    /// To be seen to now.
    Critical,
}

/// Who gets a case: what the user is told, and what Submit carries back (decision 12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Names this recipient and no other; carried by Submit as it is.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// Where a pop-up stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PopUpState {
    /// To be shown, or shown and not answered.
    Open,
    /// A case was made of it.
    Submitted,
    /// It is not meant for this PC any more.
    Withdrawn,
    /// Its time is over.
    Expired,
}

/// The event `pop_up`, and the answer of `GET pop-ups/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopUp {
    /// Which one.
    pub id: Uuid,
    /// Where it stands; an event's is `open`.
    pub state: PopUpState,
    /// The kind of alert: a stable code.
    pub alert: String,
    /// How bad it is.
    pub severity: Severity,
    /// The notification's title.
    pub title: String,
    /// What was found, in a sentence or two.
    pub text: String,
    /// The partner in whose name it comes.
    pub partner: String,
    /// Who would get a case.
    pub recipient: Recipient,
    /// What a case contains besides what the user writes, a line each.
    pub contains: Vec<String>,
    /// When it was displayed, RFC 3339: such a one is not displayed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub displayed_at: Option<String>,
    /// Until when it is good, RFC 3339.
    pub expires_at: String,
    /// The case that was made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<RepairCase>,
}

/// The event `withdraw`: the notification disappears, the form says so, Submit is refused from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdraw {
    /// Which one.
    pub id: Uuid,
    /// Why: a stable code.
    pub reason: String,
}

/// The event `settings`: how the PC's tenant wants its agent to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// In how many seconds to check in.
    pub check_in_seconds: u32,
    /// Whether to say who is signed in.
    pub collect_user: bool,
    /// Whether to say where the PC is.
    pub collect_location: bool,
    /// Whether pop-ups may come at all.
    pub self_service: bool,
}

/// `POST pop-ups/{id}/dismissed`; `displayed` and `viewed` take an empty object. All three answer 204, however often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dismissed {
    /// The user pressed Later: the agent shows the same pop-up again by itself while it is good. Else the user closed it;
    /// while the condition lasts, another pop-up comes after this one's time.
    pub later: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_stays_as_it_is() {
        let text = r#"{"id":"01980000-0000-7000-8000-000000000001","state":"open","alert":"disk.failing","severity":"critical","title":"t","text":"x","partner":"P","recipient":{"code":"customer_support","name":"Customer support"},"contains":["Serial"],"expires_at":"2026-11-29T00:00:00Z"}"#;
        let read: PopUp = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert!(!serde_json::from_str::<Dismissed>("{}").unwrap().later);
    }
}
