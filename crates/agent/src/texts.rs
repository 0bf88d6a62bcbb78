//! The agent's texts in English and German: Fluent files under `locales`, the same keys and variables in both (a test
//! compares them).

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, langid, static_loader};
use serde::{Deserialize, Serialize};

static_loader! {
    static TEXTS = {
        locales: "./locales",
        fallback_language: "en",
        // No text mixes directions, and some notification services would show the marks.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static EN: LanguageIdentifier = langid!("en");
static DE: LanguageIdentifier = langid!("de");

/// A language that the agent speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

impl Lang {
    /// `en` or `de`.
    pub fn code(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::De => "de",
        }
    }

    /// The language of a locale such as `de_AT.UTF-8`, of a list such as `de:en`, or of a tag such as `de-CH`.
    pub fn of_locale(locale: &str) -> Self {
        match locale.split([':', '_', '-', '.', '@']).next() {
            Some("de") => Lang::De,
            _ => Lang::En,
        }
    }

    /// The text of a key.
    pub fn text(self, key: &str) -> String {
        TEXTS.try_lookup(self.id(), key).unwrap_or_else(|| key.to_owned())
    }

    /// The text of a key, if there is one.
    pub fn known(self, key: &str) -> Option<String> {
        TEXTS.try_lookup(self.id(), key)
    }

    /// The text of a key with its variables.
    pub fn with(self, key: &str, variables: &[(&'static str, &str)]) -> String {
        let variables: HashMap<Cow<'static, str>, FluentValue<'_>> =
            variables.iter().map(|(name, value)| (Cow::Borrowed(*name), FluentValue::from(*value))).collect();
        TEXTS.try_lookup_with_args(self.id(), key, &variables).unwrap_or_else(|| key.to_owned())
    }

    fn id(self) -> &'static LanguageIdentifier {
        match self {
            Lang::En => &EN,
            Lang::De => &DE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Key to the variables that its text uses.
    fn messages(text: &str) -> BTreeMap<String, Vec<String>> {
        let (mut messages, mut key) = (BTreeMap::new(), String::new());
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
                name.clone_into(&mut key);
                assert!(messages.insert(key.clone(), Vec::new()).is_none(), "{key} twice");
            }
            let variables = line.split('$').skip(1).map(|rest| {
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
            });
            messages.entry(key.clone()).or_default().extend(variables);
        }
        messages.remove("");
        messages
    }

    #[test]
    fn b53_both_languages_have_the_same_keys_and_variables() {
        let english = messages(include_str!("../locales/en/agent.ftl"));
        assert!(english.len() > 20);
        assert_eq!(english, messages(include_str!("../locales/de/agent.ftl")));
        assert_eq!(
            (Lang::En.text("view"), Lang::De.text("view")),
            ("View".to_owned(), "Anzeigen".to_owned())
        );
    }

    #[test]
    fn the_language_of_a_locale() {
        for (locale, lang) in [
            ("de_DE.UTF-8", Lang::De),
            ("de_AT@euro", Lang::De),
            ("de:en_US", Lang::De),
            ("de-CH", Lang::De),
            ("de", Lang::De),
            ("den", Lang::En),
            ("en_GB.UTF-8", Lang::En),
            ("C", Lang::En),
            ("", Lang::En),
        ] {
            assert_eq!(Lang::of_locale(locale), lang, "{locale}");
        }
    }
}
