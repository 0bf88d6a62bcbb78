//! What a mail says, in the language of whoever gets it: plain text and HTML of the same words.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::Context;
use askama::Template;
use fluent_templates::fluent_bundle::FluentValue;
use roadstead_domain::clock::Micros;
use roadstead_domain::mail::MailKind;
use roadstead_store::mails::Due;
use serde_json::{Map, Value};

use crate::i18n::Lang;
use crate::portal;

/// A written mail.
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) plain: String,
    pub(super) html: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    lang: Lang,
    subject: &'a str,
    greeting: Option<&'a str>,
    paragraphs: &'a [&'a str],
    button: Option<&'a (String, String)>,
    why: &'a str,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Plain<'a> {
    lang: Lang,
    greeting: Option<&'a str>,
    paragraphs: &'a [&'a str],
    button: Option<&'a (String, String)>,
    why: &'a str,
}

/// A number is an instant in microseconds, written as the reader writes it. Nothing that somebody typed in breaks a line.
fn variables(lang: Lang, data: &Map<String, Value>) -> HashMap<Cow<'static, str>, FluentValue<'static>> {
    let value = |value: &Value| match value {
        Value::Number(at) => portal::instant(lang, Micros(at.as_i64().unwrap_or_default())),
        Value::String(text) => text.replace(char::is_control, " "),
        _ => String::new(),
    };
    data.iter().map(|(name, v)| (Cow::Owned(name.clone()), value(v).into())).collect()
}

/// Writes a mail.
pub(super) fn write(mail: &Due, public_url: &str) -> anyhow::Result<Written> {
    let kind = MailKind::from_code(&mail.kind).with_context(|| format!("mail of kind {}", mail.kind))?;
    let lang = Lang::from_code(&mail.language).unwrap_or_default();
    let data: Map<String, Value> = serde_json::from_str(&mail.data)?;
    let variables = variables(lang, &data);
    let say = |part: &str| {
        let key = format!("mail-{}-{part}", kind.as_str().replace('_', "-"));
        lang.text_of(&key, &variables)
    };
    let greeting = data.contains_key("name").then(|| lang.text_of("mail-greeting", &variables));
    let (subject, text, why) = (say("subject"), say("text"), say("why"));
    let paragraphs: Vec<&str> = text.split("\n\n").collect();
    let button = mail.link.as_ref().map(|path| (say("button"), format!("{public_url}{path}")));
    let (greeting, button) = (greeting.as_deref(), button.as_ref());
    let html =
        Html { lang, subject: &subject, greeting, paragraphs: &paragraphs, button, why: &why }.render()?;
    let plain = Plain { lang, greeting, paragraphs: &paragraphs, button, why: &why }.render()?;
    Ok(Written { subject, plain, html })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(kind: MailKind, language: &str, link: Option<&str>) -> Due {
        let mut data = Map::new();
        for name in kind.variables() {
            data.insert((*name).to_owned(), format!("<{name}>\r\nBcc: x").into());
        }
        data.insert("until".to_owned(), 1_795_374_000_000_000_i64.into());
        Due {
            id: uuid::Uuid::from_u128(1),
            recipient: "anna@example.com".to_owned(),
            language: language.to_owned(),
            kind: kind.as_str().to_owned(),
            data: Value::Object(data).to_string(),
            link: link.map(str::to_owned),
            attempts: 1,
            ends_at: 0,
        }
    }

    #[test]
    fn each_mail_is_written_in_both_languages_with_all_that_it_says() {
        for kind in MailKind::ALL {
            for language in ["en", "de"] {
                let mail =
                    write(&due(kind, language, Some("/x?token=ab&b=1")), "https://example.com").unwrap();
                let all = format!("{}\n{}\n{}", mail.subject, mail.plain, mail.html);
                assert!(!all.contains("mail-"), "a key in place of a text: {all}");
                assert!(!all.contains("{ $") && !all.contains("{$"), "a variable that nobody gives: {all}");
                for name in kind.variables().iter().filter(|name| **name != "until") {
                    let known = [&mail.subject, &mail.plain].iter().any(|t| t.contains(&format!("<{name}>")));
                    assert!(known, "{kind:?} in {language} does not say {name}: {all}");
                }
                assert!(!mail.subject.contains('\n') && !mail.html.contains("<name>"));
                assert!(mail.plain.contains("https://example.com/x?token=ab&b=1\n"), "{}", mail.plain);
                assert!(
                    mail.html.contains("href=\"https://example.com/x?token=ab&#38;b=1\""),
                    "{}",
                    mail.html
                );
                assert_eq!(
                    mail.plain.contains("22.11.2026"),
                    language == "de" && kind.variables().contains(&"until")
                );
            }
        }
    }
}
