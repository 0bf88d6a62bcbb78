//! Fields of forms: label, input and what is wrong with it.

use askama::Template;

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
    /// What opens it.
    pub(super) summary: String,
    /// Whether it is open.
    pub(super) open: bool,
    /// Its fields.
    pub(super) fields: Vec<Field>,
    /// Its button.
    pub(super) button: String,
}
