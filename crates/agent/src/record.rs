//! One pop-up as the agent remembers it, on the disk before anything is seen or sent: a restart, a power cut or a second
//! copy of the same event shows nothing twice, and what was submitted is submitted once.

use roadstead_domain::clock::Micros;
use roadstead_domain::wire::pop_up::{PopUp, Recipient};
use roadstead_domain::wire::repair_case::{Contact, RepairCase, Submit};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::texts::Lang;

/// How long Later is, in seconds.
const LATER_SECONDS: i64 = 3600;
/// A pop-up that could not be shown is tried again after so many seconds, each time after twice as many, up to the second
/// number: at sign-in the desktop's notifications may come a moment after the agent, or fail to start once.
const RETRY_SECONDS: (i64, i64) = (5, 60);

/// Why a pop-up is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The platform took it back: a stable code says why.
    Withdrawn(String),
    /// It had its time.
    Expired,
    /// The platform would not take the case: its words.
    Refused(String),
}

/// What an address on the loopback is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// For the process that shows the pop-up: it says what became of it.
    Screen,
    /// For the process that shows news of a case: they stay until somebody closes them.
    News,
    /// Opens the form, once.
    View,
    /// The form that was opened.
    Form,
}

/// Who may speak of this pop-up: the digest of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    digest: String,
    /// What it is good for.
    pub kind: Kind,
    /// In which language.
    pub lang: Lang,
}

/// What the user wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// Whom to turn to.
    pub contact: Contact,
    /// When it suits them.
    pub times: String,
    /// What they have seen.
    pub text: String,
}

impl Draft {
    /// Whether somebody could be reached by it.
    pub fn is_complete(&self) -> bool {
        let Contact { name, email, phone } = &self.contact;
        !name.is_empty() && (!email.is_empty() || !phone.is_empty())
    }
}

/// What was submitted; on the disk before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// The same with every attempt.
    pub id: Uuid,
    /// The recipient that the user was shown.
    pub recipient: String,
    /// What they wrote.
    pub draft: Draft,
    /// What the platform made of it.
    pub case: Option<RepairCase>,
    /// The user no longer wants it.
    #[serde(default)]
    pub cancelling: bool,
    /// What the user answers to the repairer's question.
    #[serde(default)]
    pub answering: Option<String>,
    /// The last step that the user was told of.
    #[serde(default)]
    pub told: String,
}

/// A pop-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What the platform offers.
    pub pop_up: PopUp,
    /// Until when.
    pub expires_at: Micros,
    /// It was put on a screen.
    pub shown: bool,
    /// The user pressed Later, or it could not be shown: not before.
    pub not_before: Option<Micros>,
    /// How often in a row it could not be shown.
    #[serde(default)]
    pub failures: u32,
    /// View was pressed.
    pub viewed: bool,
    /// It is over.
    pub ended: Option<Ended>,
    /// The recipient is another one since the user last looked.
    #[serde(default)]
    pub recipient_changed: bool,
    /// What the platform does not like in what the user wrote.
    #[serde(default)]
    pub returned: Option<String>,
    /// What the user wrote and did not send.
    #[serde(default)]
    pub draft: Draft,
    /// What the user sent.
    pub submission: Option<Submission>,
    /// Who may speak of it.
    #[serde(default)]
    pub tickets: Vec<Ticket>,
}

impl Record {
    /// A pop-up that has just come. The platform knows which ones were displayed, also where this PC has forgotten it.
    pub fn new(pop_up: PopUp) -> Self {
        Self {
            expires_at: instant(&pop_up.expires_at),
            shown: pop_up.displayed_at.is_some(),
            pop_up,
            not_before: None,
            failures: 0,
            viewed: false,
            ended: None,
            recipient_changed: false,
            returned: None,
            draft: Draft::default(),
            submission: None,
            tickets: Vec::new(),
        }
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.pop_up.id
    }

    /// Whether it has to go on a screen by now.
    pub fn is_due(&self, now: Micros) -> bool {
        self.is_open(now) && !self.shown && !self.viewed && self.not_before.is_none_or(|from| from <= now)
    }

    /// Whether a case can still come of it.
    pub fn is_open(&self, now: Micros) -> bool {
        self.ended.is_none() && self.submission.is_none() && now < self.expires_at
    }

    /// Whether the pop-up itself may stay on a screen.
    pub fn may_stand(&self, now: Micros) -> bool {
        self.is_open(now) && self.shown && !self.viewed
    }

    /// The user pressed Later, on the pop-up or in the form: the one way in which it is shown again.
    pub fn later(&mut self, now: Micros) {
        (self.shown, self.viewed, self.failures) = (false, false, 0);
        self.not_before = Some(now.plus_seconds(LATER_SECONDS));
    }

    /// No screen took it.
    pub fn not_shown(&mut self, now: Micros) {
        self.shown = false;
        let (first, most) = RETRY_SECONDS;
        self.not_before = Some(now.plus_seconds(most.min(first << self.failures.min(10))));
        self.failures += 1;
    }

    /// The platform says it again: what it says by now counts, for as long as nothing was submitted.
    pub fn offered_again(&mut self, pop_up: &PopUp) {
        if self.submission.is_none() && self.ended.is_none() {
            self.recipient_changed |= self.viewed && self.pop_up.recipient != pop_up.recipient;
            self.expires_at = instant(&pop_up.expires_at);
            self.pop_up = pop_up.clone();
        }
    }

    /// The platform takes it back. Where something was submitted already, its answer says what came of it.
    pub fn withdrawn(&mut self, reason: &str) {
        if self.ended.is_none() && self.submission.is_none() {
            self.ended = Some(Ended::Withdrawn(reason.to_owned()));
        }
    }

    /// The user submits what they wrote, to the recipient that they were shown. A second press changes nothing.
    pub fn submit(&mut self, id: Uuid, draft: Draft, recipient: &str, now: Micros) {
        if !self.is_open(now) {
            return;
        }
        self.draft = draft.clone();
        self.returned = None;
        // A page that is older than what the agent has learnt since: the user looks again.
        self.recipient_changed = self.pop_up.recipient.code != recipient;
        if !self.recipient_changed {
            let recipient = recipient.to_owned();
            self.submission = Some(Submission {
                id,
                recipient,
                draft,
                case: None,
                cancelling: false,
                answering: None,
                told: String::new(),
            });
        }
    }

    /// What is sent when the user submits: the same with every attempt.
    pub fn wire(&self, sent: &Submission) -> Submit {
        Submit {
            id: sent.id,
            pop_up: self.id(),
            recipient: sent.recipient.clone(),
            contact: sent.draft.contact.clone(),
            text: sent.draft.text.clone(),
            preferred_times: sent.draft.times.clone(),
        }
    }

    /// The recipient shown is not the one who would get it: no case was made, and the user looks again.
    pub fn recipient_is(&mut self, recipient: Recipient) {
        self.submission = None;
        self.pop_up.recipient = recipient;
        self.recipient_changed = true;
    }

    /// The platform does not take what was written: no case was made, and the user mends it.
    pub fn returned(&mut self, why: String) {
        self.submission = None;
        self.returned = Some(why);
    }

    /// The case that came of it.
    pub fn case(&self) -> Option<&RepairCase> {
        self.submission.as_ref()?.case.as_ref()
    }

    /// Whether something of the user's is still to be sent.
    pub fn is_unsent(&self) -> bool {
        let waits = |sent: &Submission| sent.case.is_none() || sent.cancelling || sent.answering.is_some();
        self.ended.is_none() && self.submission.as_ref().is_some_and(waits)
    }

    /// The platform has answered what the user sent: they see it where they sent it, so it is no news.
    pub fn answered(&mut self, case: RepairCase) {
        if let Some(sent) = &mut self.submission {
            sent.told = step(&case);
            (sent.cancelling, sent.answering) = (false, None);
            sent.case = Some(case);
        }
    }

    /// The case has come further. Of a case whose answer was lost this is the answer.
    pub fn progressed(&mut self, case: RepairCase) {
        match &mut self.submission {
            Some(sent) if sent.told.is_empty() => self.answered(case),
            Some(sent) => sent.case = Some(case),
            None => {}
        }
    }

    /// The user no longer wants the repair.
    pub fn cancel(&mut self) {
        if let Some(sent) = &mut self.submission
            && sent.case.as_ref().is_some_and(|case| case.can_cancel)
        {
            sent.cancelling = true;
        }
    }

    /// The user answers the repairer's question.
    pub fn answer(&mut self, text: String) {
        if let Some(sent) = &mut self.submission
            && sent.case.as_ref().is_some_and(|case| case.question.is_some())
            && sent.answering.is_none()
        {
            sent.answering = Some(text);
        }
    }

    /// It was too late to cancel or to answer.
    pub fn too_late(&mut self) {
        if let Some(sent) = &mut self.submission {
            if let Some(case) = &mut sent.case {
                case.can_cancel &= !sent.cancelling;
            }
            (sent.cancelling, sent.answering) = (false, None);
        }
    }

    /// The step of the case that the user was not told of on a screen. What they did themselves is no news.
    pub fn untold_step(&self) -> Option<String> {
        let sent = self.submission.as_ref()?;
        let step = step(sent.case.as_ref()?);
        (!sent.told.is_empty() && sent.told != step).then_some(step)
    }

    /// The user was told of this step.
    pub fn told_of(&mut self, step: &str) {
        if let Some(sent) = &mut self.submission {
            step.clone_into(&mut sent.told);
        }
    }

    /// Lets whoever knows this secret speak of it.
    pub fn admit(&mut self, secret: &str, kind: Kind, lang: Lang) {
        self.tickets.push(Ticket { digest: digest(secret), kind, lang });
    }

    /// What whoever knows this secret may do.
    pub fn ticket(&self, secret: &str) -> Option<&Ticket> {
        let digest = digest(secret);
        self.tickets.iter().find(|ticket| ticket.digest == digest)
    }

    /// Uses up the secret that opens the form; the form's own takes its place.
    pub fn open_form(&mut self, secret: &str, form: &str) -> bool {
        let (used, fresh) = (digest(secret), digest(form));
        let ticket =
            self.tickets.iter_mut().find(|ticket| ticket.digest == used && ticket.kind == Kind::View);
        let Some(ticket) = ticket else { return false };
        *ticket = Ticket { digest: fresh, kind: Kind::Form, lang: ticket.lang };
        self.viewed = true;
        true
    }
}

/// What the user is told of, once: where a case stands, when somebody comes, what is asked, that parts were ordered again.
/// The first order changes where it stands.
fn step(case: &RepairCase) -> String {
    let from = case.appointment.as_ref().map_or("", |appointment| &appointment.from);
    let orders = if case.part_orders > 1 { format!("/{}", case.part_orders) } else { String::new() };
    format!("{}/{from}/{}{orders}", case.state, case.question.as_deref().unwrap_or(""))
}

/// An instant of the wire; one that cannot be read has passed.
fn instant(text: &str) -> Micros {
    text.parse().map_or(Micros(0), |at: jiff::Timestamp| Micros(at.as_microsecond()))
}

/// What is kept or told of a text instead of it.
pub(crate) fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "2026-11-28T12:00:00Z";

    fn record() -> Record {
        let pop_up = serde_json::json!({
            "id": Uuid::from_u128(7), "state": "open", "alert": "disk.failing", "severity": "critical",
            "title": "Your disk may fail soon", "text": "", "partner": "Hafen IT", "contains": [],
            "recipient": { "code": "csdp", "name": "Hafen IT" }, "expires_at": NOON,
        });
        Record::new(serde_json::from_value(pop_up).unwrap())
    }

    fn before_noon(seconds: i64) -> Micros {
        instant(NOON).plus_seconds(-seconds)
    }

    fn case(state: &str) -> RepairCase {
        let case = serde_json::json!({
            "id": Uuid::from_u128(8), "number": "C-1", "state": state, "state_text": state, "can_cancel": true,
            "recipient": { "code": "csdp", "name": "Hafen IT" },
        });
        serde_json::from_value(case).unwrap()
    }

    #[test]
    fn a_pop_up_is_due_once_and_again_only_after_later() {
        let (mut record, at) = (record(), |seconds: i64| before_noon(10_000 - seconds));
        assert!(record.is_due(at(0)) && !record.may_stand(at(0)));
        record.shown = true;
        assert!(!record.is_due(at(0)) && record.may_stand(at(0)));
        record.later(at(0));
        assert_eq!((record.is_due(at(3599)), record.is_due(at(3600))), (false, true));
        let mut last = 3600;
        for wait in [5, 10, 20, 40, 60, 60] {
            record.not_shown(at(last));
            last += wait;
            assert_eq!((record.is_due(at(last - 1)), record.is_due(at(last))), (false, true));
        }
        assert!(!record.is_due(at(10_000)), "expired");
        record.withdrawn("pop_up.moved");
        assert!(!record.is_due(at(last)) && !record.is_open(at(last)));
    }

    #[test]
    fn what_was_displayed_before_this_pc_forgot_it_is_not_displayed_again() {
        let mut pop_up = record().pop_up;
        pop_up.displayed_at = Some(NOON.to_owned());
        assert!(!Record::new(pop_up.clone()).is_due(before_noon(1)));
        pop_up.expires_at = "nonsense".to_owned();
        assert!(!Record::new(pop_up).is_open(before_noon(1)));
    }

    #[test]
    fn a_secret_opens_the_form_once() {
        let mut record = record();
        record.admit("one", Kind::View, Lang::De);
        record.admit("screen", Kind::Screen, Lang::De);
        assert!(!record.open_form("screen", "x") && !record.open_form("two", "x") && !record.viewed);
        assert!(record.open_form("one", "the-form") && record.viewed);
        assert!(!record.open_form("one", "again") && record.ticket("one").is_none());
        let ticket = record.ticket("the-form").map(|ticket| (ticket.kind, ticket.lang));
        assert_eq!(ticket, Some((Kind::Form, Lang::De)));
        assert!(!serde_json::to_string(&record).unwrap().contains("the-form"), "only digests are kept");
    }

    #[test]
    fn one_submission_whatever_is_pressed_and_it_outlives_a_withdrawal() {
        let (mut record, now) = (record(), before_noon(1));
        let draft = Draft { text: "it clicks".to_owned(), ..Draft::default() };
        record.submit(Uuid::from_u128(1), draft.clone(), "somebody_else", now);
        assert!(record.submission.is_none() && record.recipient_changed, "the page was old");
        record.submit(Uuid::from_u128(1), draft.clone(), "csdp", now);
        record.submit(Uuid::from_u128(2), Draft::default(), "csdp", now);
        record.withdrawn("pop_up.submitted");
        let sent = record.submission.clone().unwrap();
        assert_eq!((sent.id, &sent.draft, record.is_unsent()), (Uuid::from_u128(1), &draft, true));
        assert_eq!(record.wire(&sent).text, "it clicks");
        record.recipient_is(Recipient { code: "customer_support".to_owned(), name: "Support".to_owned() });
        assert!(record.is_open(now) && !record.is_unsent() && record.recipient_changed);
        assert_eq!(
            (record.draft.text.as_str(), record.pop_up.recipient.name.as_str()),
            ("it clicks", "Support")
        );
        record.returned("no address".to_owned());
        record.submit(Uuid::from_u128(3), draft, "customer_support", now.plus_seconds(1));
        assert!(record.submission.is_none() && record.returned.is_some(), "its time is over");
    }

    #[test]
    fn each_step_is_told_once_and_what_the_user_did_never() {
        let mut record = record();
        record.submit(Uuid::from_u128(1), Draft::default(), "csdp", before_noon(1));
        record.progressed(case("new"));
        assert_eq!((record.untold_step(), record.is_unsent()), (None, false), "the answer came as an event");
        record.progressed(case("claimed"));
        let step = record.untold_step().unwrap();
        record.told_of(&step);
        record.progressed(case("claimed"));
        assert_eq!(record.untold_step(), None);
        record.answer("it was not asked".to_owned());
        assert!(!record.is_unsent());
        record.cancel();
        assert!(record.is_unsent());
        record.too_late();
        assert!(!record.is_unsent() && !record.case().unwrap().can_cancel);
        record.answered(case("cancelled"));
        assert_eq!(record.untold_step(), None);
    }

    #[test]
    fn each_order_of_parts_is_told_once() {
        let mut record = record();
        record.submit(Uuid::from_u128(1), Draft::default(), "csdp", before_noon(1));
        record.progressed(case("new"));
        for part_orders in 1..=3 {
            record.progressed(RepairCase { part_orders, ..case("in_repair") });
            let step = record.untold_step().expect("news");
            record.told_of(&step);
            record.progressed(RepairCase { part_orders, ..case("in_repair") });
            assert_eq!(record.untold_step(), None, "{part_orders}");
        }
    }
}
