//! Fields of forms: label, input and what is wrong with it.

use std::collections::HashMap;

use askama::Template;

use crate::flows::Refused;
use crate::http::Problem;
use crate::i18n::Lang;

/// A form as it was sent.
pub(super) type Sent = HashMap<String, String>;

/// What was sent under a name, without blanks around it.
pub(super) fn text<'a>(sent: &'a Sent, name: &str) -> &'a str {
    sent.get(name).map_or("", |value| value.trim())
}

/// A field with what was typed in and what is wrong with it.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "field.html")]
pub(super) struct Field {
    /// Unique on the page.
    pub(super) id: String,
    /// The name in the form.
    pub(super) name: &'static str,
    /// The label.
    pub(super) label: String,
    /// `text`, `email`, `password` or `date`.
    pub(super) kind: &'static str,
    /// What is in it.
    pub(super) value: String,
    /// Whether the form is not sent without it.
    pub(super) required: bool,
    /// Value and name of each choice; without any it is an input.
    pub(super) choices: Vec<(String, String)>,
    /// What is wrong with it.
    pub(super) fault: Option<String>,
    /// What a browser may fill in, `off` for nothing.
    pub(super) autocomplete: &'static str,
    /// What to know before filling it in.
    pub(super) hint: Option<String>,
}

impl Field {
    /// With this in it, unless something was sent.
    pub(super) fn with(mut self, value: &str) -> Self {
        if self.value.is_empty() && self.fault.is_none() {
            value.clone_into(&mut self.value);
        }
        self
    }

    /// May be left empty.
    pub(super) fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// With this at the end of its id, where the page has several forms of one target.
    pub(super) fn numbered(mut self, number: usize) -> Self {
        self.id = format!("{}-{number}", self.id);
        self
    }
}

/// A form.
#[derive(Clone, Debug, Template)]
#[template(path = "form.html")]
pub(super) struct FormView {
    /// Where it goes.
    pub(super) action: String,
    /// What proves that it came from our page.
    pub(super) csrf: String,
    /// The page of the list that it stands on.
    pub(super) cursor: String,
    /// Names and values that it carries unseen.
    pub(super) hidden: Vec<(String, String)>,
    /// What opens it.
    pub(super) summary: String,
    /// Whether it is open.
    pub(super) open: bool,
    /// Its fields.
    pub(super) fields: Vec<Field>,
    /// Its button.
    pub(super) button: String,
}

/// A form that was refused: which one, what was in it, and what is wrong.
#[derive(Default)]
pub(super) struct Attempt {
    action: String,
    sent: Sent,
    field: String,
    code: String,
}

impl Attempt {
    /// Keeps what was sent if a field is wrong; anything else is no matter of the form.
    pub(super) fn of(action: &str, sent: Sent, refused: Refused) -> Result<Self, Problem> {
        let (code, field) = match refused {
            Refused::Invalid { code, field } => (code, field),
            Refused::Taken { field } => ("field.taken", field),
            other => return Err(other.into()),
        };
        Ok(Self { action: action.to_owned(), sent, field: field.to_owned(), code: code.to_owned() })
    }
}

/// Makes the fields of one form, with what was sent and refused before.
pub(super) struct Forms<'a> {
    pub(super) lang: Lang,
    pub(super) csrf: &'a str,
    pub(super) cursor: &'a str,
    pub(super) attempt: &'a Attempt,
}

impl Forms<'_> {
    /// A field of the form with this target.
    pub(super) fn field(&self, action: &str, name: &'static str, kind: &'static str) -> Field {
        let tried = self.attempt.action == action;
        let sent = self.attempt.sent.get(name).filter(|_| tried);
        let fault = (tried && self.attempt.field == name).then(|| {
            let (text, advice) = self.lang.code_said(&self.attempt.code);
            if advice.is_empty() { text } else { format!("{text}. {advice}") }
        });
        Field {
            id: format!("{}-{name}", action.trim_matches('/').replace('/', "-")),
            name,
            label: self.lang.code_text(&format!("form.{name}")),
            kind,
            value: sent.cloned().unwrap_or_default(),
            required: kind == "text",
            fault,
            ..Field::default()
        }
    }

    /// A select of the form with this target.
    pub(super) fn choice(&self, action: &str, name: &'static str, choices: Vec<(String, String)>) -> Field {
        Field { choices, required: true, ..self.field(action, name, "text") }
    }

    /// The form with this target; `key` is what opens it.
    pub(super) fn form(&self, action: &str, key: &str, fields: Vec<Field>) -> FormView {
        FormView {
            action: action.to_owned(),
            csrf: self.csrf.to_owned(),
            cursor: self.cursor.to_owned(),
            hidden: Vec::new(),
            summary: self.lang.text(key),
            open: self.attempt.action == action,
            fields,
            button: self.lang.text("form-save"),
        }
    }
}
