//! Texts in English and German: Fluent files under `portal/locales`, one message a key, the same keys and variables
//! in both languages (a test compares them).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError, RwLock};

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, langid, static_loader};
use jiff::tz::TimeZone;

static_loader! {
    static TEXTS = {
        locales: "./src/portal/locales",
        fallback_language: "en",
        // The marks would show up in exports and break comparisons; no text mixes directions.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static EN: LanguageIdentifier = langid!("en");
static DE: LanguageIdentifier = langid!("de");

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tongue {
    En,
    De,
}

/// How somebody wants days written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateFormat {
    /// `18 Nov 2026`, `18.11.2026`: what each language does by itself.
    DayMonthYear,
    /// `Nov 18, 2026`, `11/18/2026`.
    MonthDayYear,
    /// `2026-11-18`.
    Iso,
}

impl DateFormat {
    /// Every way.
    pub const ALL: [DateFormat; 3] = [DateFormat::DayMonthYear, DateFormat::MonthDayYear, DateFormat::Iso];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            DateFormat::DayMonthYear => "day_month_year",
            DateFormat::MonthDayYear => "month_day_year",
            DateFormat::Iso => "iso",
        }
    }

    /// The way with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.code() == code)
    }
}

/// The time zone of this name in the time zone database. Each that somebody lives in is kept: there are some hundreds.
pub fn zone_named(name: &str) -> Option<&'static TimeZone> {
    static KNOWN: Mutex<BTreeMap<String, &'static TimeZone>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(zone) = known.get(name).copied() {
        return Some(zone);
    }
    // The database takes any case; the name as it stands there is the only one that is kept.
    let zone = TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name))?;
    let zone: &'static TimeZone = Box::leak(Box::new(zone));
    known.insert(name.to_owned(), zone);
    Some(zone)
}

/// The names of the time zones that people choose from.
pub fn zone_names() -> Vec<String> {
    let mut names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .filter(|name| name == "UTC" || (name.contains('/') && !name.starts_with("Etc/")))
        .collect();
    names.sort();
    names
}

/// How somebody reads: the language, and how instants and days are written for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lang {
    tongue: Tongue,
    dates: DateFormat,
    /// `None` is UTC.
    zone: Option<&'static TimeZone>,
}

impl Default for Lang {
    fn default() -> Self {
        Lang::En
    }
}

#[expect(non_upper_case_globals, reason = "they read as the languages that they are")]
impl Lang {
    /// English, in UTC.
    pub const En: Lang = Lang { tongue: Tongue::En, dates: DateFormat::DayMonthYear, zone: None };
    /// German, in UTC.
    pub const De: Lang = Lang { tongue: Tongue::De, dates: DateFormat::DayMonthYear, zone: None };
}

impl Lang {
    /// `en` or `de`.
    pub fn code(self) -> &'static str {
        match self.tongue {
            Tongue::En => "en",
            Tongue::De => "de",
        }
    }

    /// The language with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Lang::En),
            "de" => Some(Lang::De),
            _ => None,
        }
    }

    /// The same language for somebody who has set these.
    pub fn with(self, time_zone: Option<&str>, date_format: Option<&str>) -> Self {
        let dates = date_format.and_then(DateFormat::from_code).unwrap_or(self.dates);
        Self { dates, zone: time_zone.and_then(zone_named).or(self.zone), ..self }
    }

    /// Whether it is German.
    pub fn is_german(self) -> bool {
        self.tongue == Tongue::De
    }

    /// How days are written.
    pub fn dates(self) -> DateFormat {
        self.dates
    }

    /// The time zone in which instants are written.
    pub fn zone(self) -> TimeZone {
        self.zone.cloned().unwrap_or(TimeZone::UTC)
    }

    /// Its name.
    pub fn zone_name(self) -> &'static str {
        self.zone.and_then(TimeZone::iana_name).unwrap_or("UTC")
    }

    /// The first language of an `Accept-Language` header that we speak, by its weights (RFC 9110 12.5.4).
    pub fn accepted(header: &str) -> Self {
        let mut best: Option<(f32, Lang)> = None;
        for part in header.split(',') {
            let (tag, weight) = match part.split_once(";q=") {
                Some((tag, weight)) => (tag, weight.trim().parse().unwrap_or(0.0)),
                None => (part, 1.0),
            };
            let primary = tag.trim().split('-').next().unwrap_or("").to_ascii_lowercase();
            if let Some(lang) = Lang::from_code(&primary)
                && best.is_none_or(|(known, _)| weight > known)
            {
                best = Some((weight, lang));
            }
        }
        best.map_or(Lang::En, |(_, lang)| lang)
    }

    fn id(self) -> &'static LanguageIdentifier {
        match self.tongue {
            Tongue::En => &EN,
            Tongue::De => &DE,
        }
    }

    /// The text of a key. A key that nobody wrote is shown as it is; a test finds it. A text is put together once and kept: a
    /// page has some seventy, and looking one up costs more than a row of a list does.
    pub fn text(self, key: &str) -> String {
        static KNOWN: [RwLock<BTreeMap<String, String>>; 2] = [const { RwLock::new(BTreeMap::new()) }; 2];
        let known = &KNOWN[usize::from(self.is_german())];
        if let Some(text) = known.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return text.clone();
        }
        let Some(text) = TEXTS.try_lookup(self.id(), key) else { return key.to_owned() };
        known.write().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), text.clone());
        text
    }

    /// The text of a key with its variables.
    pub fn text_with(self, key: &str, variables: &[(&'static str, FluentValue<'_>)]) -> String {
        let variables: HashMap<Cow<'static, str>, FluentValue<'_>> =
            variables.iter().map(|(name, value)| (Cow::Borrowed(*name), value.clone())).collect();
        TEXTS.try_lookup_with_args(self.id(), key, &variables).unwrap_or_else(|| key.to_owned())
    }

    /// What stands before and after the one variable of a key's text, for the rows of a list: looking a text up costs more
    /// than the rest of a row.
    pub fn text_around(self, key: &str, name: &'static str) -> (String, String) {
        // A character that stands for what is no character (U+FFFC); no text has it.
        const PLACE: &str = "\u{fffc}";
        let text = self.text_with(key, &[(name, PLACE.into())]);
        match text.split_once(PLACE) {
            Some((before, after)) => (before.to_owned(), after.to_owned()),
            None => (text, String::new()),
        }
    }

    /// The text of a key with variables whose names come with the data.
    pub fn text_of(self, key: &str, variables: &HashMap<Cow<'static, str>, FluentValue<'_>>) -> String {
        TEXTS.try_lookup_with_args(self.id(), key, variables).unwrap_or_else(|| key.to_owned())
    }

    /// The text of a stable code such as `rejected.date_invalid`: dots are dashes in Fluent's keys.
    pub fn code_text(self, code: &str) -> String {
        self.text(&code.replace(['.', '_'], "-"))
    }

    /// What to do about a stable code; empty where nothing needs doing.
    pub fn code_advice(self, code: &str) -> String {
        let key = format!("{}-advice", code.replace(['.', '_'], "-"));
        TEXTS.try_lookup(self.id(), &key).unwrap_or_default()
    }

    /// Both, as a notice shows them.
    pub fn code_said(self, code: &str) -> (String, String) {
        (self.code_text(code), self.code_advice(code))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Key to the variables that its text uses.
    fn messages(language: &str) -> BTreeMap<String, Vec<String>> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/portal/locales").join(language);
        let mut messages = BTreeMap::new();
        for file in std::fs::read_dir(directory).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let mut key = String::new();
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                if let Some((name, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
                    key = name.to_owned();
                    assert!(messages.insert(key.clone(), Vec::new()).is_none(), "{language}: {key} twice");
                }
                let variables = line.split('$').skip(1).map(|rest| {
                    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
                });
                messages.entry(key.clone()).or_default().extend(variables);
            }
        }
        messages.remove("");
        for variables in messages.values_mut() {
            variables.sort();
            variables.dedup();
        }
        messages
    }

    #[test]
    fn a_text_around_its_variable() {
        let around = |lang: Lang| lang.text_around("move-tick", "serial");
        assert_eq!(around(Lang::En), ("Choose ".to_owned(), String::new()));
        assert_eq!(around(Lang::De), (String::new(), " auswählen".to_owned()));
    }

    #[test]
    fn b53_both_languages_have_the_same_keys_and_variables() {
        let (english, german) = (messages("en"), messages("de"));
        assert!(english.len() > 50);
        assert_eq!(english, german);
    }

    #[test]
    fn every_verdict_is_explained_in_both_languages() {
        for lang in [Lang::En, Lang::De] {
            for verdict in roadstead_domain::sale::Verdict::ALL {
                let code = verdict.as_str();
                assert_ne!(lang.code_text(code), code.replace(['.', '_'], "-"), "{code} in {lang:?}");
                let needs_advice = ["rejected", "parked", "disputed"].contains(&verdict.family());
                assert_eq!(!lang.code_advice(code).is_empty(), needs_advice, "advice on {code} in {lang:?}");
            }
        }
    }

    #[test]
    fn a_reader_may_live_anywhere_and_be_called_by_one_name_alone() {
        let names = zone_names();
        assert!(names.len() > 300 && names.iter().any(|name| name == "UTC"), "{}", names.len());
        for name in names.iter().step_by(20) {
            assert!(zone_named(name).is_some(), "{name}");
        }
        for name in ["", "Berlin", "europe/berlin", "Europe/Berlin ", "../etc/passwd"] {
            assert!(zone_named(name).is_none(), "{name}");
        }
        let berlin = Lang::De.with(Some("Europe/Berlin"), Some("iso"));
        assert_eq!(
            (berlin.zone_name(), berlin.dates(), berlin.code()),
            ("Europe/Berlin", DateFormat::Iso, "de")
        );
        assert_eq!(Lang::En.with(None, None), Lang::En);
        assert_eq!(Lang::En.with(Some("nowhere"), Some("odd")), Lang::En);
    }

    #[test]
    fn every_kind_of_background_work_has_a_name_in_both_languages() {
        for lang in [Lang::En, Lang::De] {
            for kind in roadstead_store::jobs::Kind::ALL {
                let code = format!("job.{}", kind.as_str());
                assert_ne!(lang.code_text(&code), code.replace(['.', '_'], "-"), "{code} in {lang:?}");
            }
        }
    }

    #[test]
    fn every_kind_of_mail_has_a_name_in_both_languages() {
        for lang in [Lang::En, Lang::De] {
            for kind in roadstead_domain::mail::MailKind::ALL {
                let key = format!("mail-kind-{}", kind.as_str().replace('_', "-"));
                assert_ne!(lang.text(&key), key, "{lang:?}");
            }
        }
    }

    #[test]
    fn the_browsers_first_language_that_we_speak() {
        assert_eq!(Lang::accepted("de-CH, en;q=0.8"), Lang::De);
        assert_eq!(Lang::accepted("fr, de;q=0.5, en;q=0.7"), Lang::En);
        assert_eq!(Lang::accepted("fr"), Lang::En);
        assert_eq!(Lang::accepted(""), Lang::En);
    }
}
