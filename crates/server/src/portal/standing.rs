//! A qualification and where it stands, in words.

use jiff::civil::Date;
use roadstead_domain::partner::{Qualification, Standing};

use super::format::date;
use crate::i18n::Lang;

/// A qualification as pages show it.
#[derive(Clone, Debug)]
pub(super) struct QualificationView {
    /// The support level's name.
    pub(super) level: &'static str,
    /// The role in words.
    pub(super) role: String,
    /// Whether it is `good`, `waiting` or `bad`, for its colour.
    pub(super) mood: &'static str,
    /// The standing in words.
    pub(super) standing: String,
}

impl QualificationView {
    /// How it stands on this day.
    pub(super) fn of(lang: Lang, qualification: &Qualification, today: Date) -> Self {
        let (mood, standing) = match qualification.standing(today) {
            Standing::CourseOpen => ("waiting", lang.text("standing-course-open")),
            Standing::NotCertified => ("waiting", not_certified(lang, qualification)),
            Standing::Valid => ("good", valid(lang, qualification)),
            Standing::Lapsed => ("bad", with(lang, "standing-lapsed", qualification.expires_on)),
        };
        Self { level: qualification.support_level.name(), role: role(lang, qualification), mood, standing }
    }
}

fn role(lang: Lang, qualification: &Qualification) -> String {
    lang.code_text(&format!("partner_role.{}", qualification.role.as_str()))
}

fn with(lang: Lang, key: &str, day: Option<Date>) -> String {
    let day = day.map_or_else(String::new, |day| date(lang, day));
    lang.text_with(key, &[("date", day.into())])
}

fn not_certified(lang: Lang, qualification: &Qualification) -> String {
    match qualification.certified_on {
        Some(day) => with(lang, "standing-certified-from", Some(day)),
        None => with(lang, "standing-not-certified", qualification.course_completed_on),
    }
}

fn valid(lang: Lang, qualification: &Qualification) -> String {
    match qualification.expires_on {
        Some(day) => with(lang, "standing-valid-until", Some(day)),
        None => with(lang, "standing-valid-since", qualification.certified_on),
    }
}
