//! Mails about a case: to the people of its desk, and to its user.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::mail::MailKind;
use roadstead_store::Tx;
use roadstead_store::mails::{self, NewMail};
use roadstead_store::repair_cases::{self, RepairCase};

use super::state_text;
use crate::app::App;
use crate::flows::Refused;
use crate::i18n::Lang;

/// The people of the desk are told that there is something for them.
pub(super) async fn mail_desk(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    case: &RepairCase,
) -> Result<(), Refused> {
    let people = repair_cases::people_of(tx, platform, case.desk()).await?;
    let mails: Vec<NewMail> = people
        .into_iter()
        .map(|(name, recipient, language)| {
            let lang = language.as_deref().and_then(Lang::from_code).unwrap_or_default();
            NewMail {
                recipient,
                language: lang.code().to_owned(),
                kind: MailKind::RepairCaseDesk,
                data: serde_json::json!({
                    "name": name, "number": case.number, "serial": case.serial,
                    "state": state_text(lang, &case.state),
                }),
                link: Some(format!("/repair-cases/{}", case.id)),
                ends_at: None,
            }
        })
        .collect();
    Ok(mails::queue(tx, platform, &mails, &app.ambient).await?)
}

/// The user is told of the step, where they left an address.
pub(super) async fn mail_user(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    case: &RepairCase,
) -> Result<(), Refused> {
    if case.contact_email.is_empty() {
        return Ok(());
    }
    let lang = Lang::from_code(&case.language).unwrap_or_default();
    let lang = lang.with(case.appointment_zone.as_deref(), None);
    let when = case.appointment_from.map_or_else(String::new, |from| {
        let at = crate::portal::instant(lang, Micros(from));
        format!("{at} ({})", lang.zone_name())
    });
    let said = match (&case.question, when.is_empty()) {
        (Some(question), _) => question.clone(),
        (None, false) if case.state == "scheduled" => when,
        _ => case.result.clone().unwrap_or_default(),
    };
    let mail = NewMail {
        recipient: case.contact_email.clone(),
        language: lang.code().to_owned(),
        kind: MailKind::RepairCaseUser,
        data: serde_json::json!({
            "name": case.contact_name, "number": case.number, "serial": case.serial,
            "state": state_text(lang, &case.state), "said": said,
        }),
        link: None,
        ends_at: None,
    };
    Ok(mails::queue(tx, platform, &[mail], &app.ambient).await?)
}
