//! Mails about a case: to the people of its desk, and to its user.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::mail::MailKind;
use roadstead_store::Tx;
use roadstead_store::mails::{self, NewMail};
use roadstead_store::repair_cases::{self, Colleague, RepairCase};

use super::state_text;
use crate::app::App;
use crate::flows::Refused;
use crate::flows::pop_ups::recipient;
use crate::i18n::Lang;

/// The people of the desk are told that there is something for them.
pub(super) async fn mail_desk(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    case: &RepairCase,
) -> Result<(), Refused> {
    let people = repair_cases::people_of(tx, platform, case.desk()).await?;
    let mail = |(name, email, language): (String, String, Option<String>)| {
        of_desk(case, MailKind::RepairCaseDesk, [&name, &email], language.as_deref())
    };
    let mails: Vec<NewMail> = people.into_iter().map(mail).collect();
    Ok(mails::queue(tx, platform, &mails, &app.ambient).await?)
}

/// Somebody of the desk is told that the case is theirs, unless they want no mails about cases.
pub(super) async fn mail_assigned(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    case: &RepairCase,
    to: &Colleague,
) -> Result<(), Refused> {
    if !to.case_mails {
        return Ok(());
    }
    let mail = of_desk(case, MailKind::RepairCaseAssigned, [&to.name, &to.email], to.language.as_deref());
    Ok(mails::queue(tx, platform, &[mail], &app.ambient).await?)
}

/// A mail to somebody of the desk, with the way to the case.
fn of_desk(case: &RepairCase, kind: MailKind, [name, email]: [&str; 2], language: Option<&str>) -> NewMail {
    let lang = language.and_then(Lang::from_code).unwrap_or_default();
    NewMail {
        recipient: email.to_owned(),
        language: lang.code().to_owned(),
        kind,
        data: serde_json::json!({
            "name": name, "number": case.number, "serial": case.serial,
            "state": state_text(lang, &case.state),
        }),
        link: Some(format!("/repair-cases/{}", case.id)),
        ends_at: None,
    }
}

/// The user is told who has their case from now on.
pub(super) async fn mail_received(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    case: &RepairCase,
) -> Result<(), Refused> {
    let desk = recipient(language(case), case.desk(), &case.partner_name).name;
    let data = serde_json::json!({
        "name": case.contact_name, "number": case.number, "serial": case.serial, "desk": desk,
    });
    to_user(app, tx, platform, case, (MailKind::RepairCaseReceived, data)).await
}

/// The user is told of the step.
pub(super) async fn mail_user(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    case: &RepairCase,
    step: &str,
) -> Result<(), Refused> {
    let lang = language(case).with(case.appointment_zone.as_deref(), None);
    let when = case.appointment_from.map_or_else(String::new, |from| {
        let at = crate::portal::instant(lang, Micros(from));
        format!("{at} ({})", lang.zone_name())
    });
    let said = match (&case.question, step) {
        (Some(question), _) => question.clone(),
        // What is ordered is the desk's matter; that it is the second order keeps the mail from reading like the first.
        (None, "parts_ordered") if case.part_orders > 1 => lang.text("repair-more-parts-ordered"),
        (None, "parts_ordered") => lang.text("repair-parts-ordered"),
        (None, _) if case.state == "scheduled" => when,
        _ => case.result.clone().unwrap_or_default(),
    };
    let data = serde_json::json!({
        "name": case.contact_name, "number": case.number, "serial": case.serial,
        "state": state_text(lang, &case.state), "said": said,
    });
    to_user(app, tx, platform, case, (MailKind::RepairCaseUser, data)).await
}

fn language(case: &RepairCase) -> Lang {
    Lang::from_code(&case.language).unwrap_or_default()
}

/// A mail to the user, where they left an address and have not turned the case's mails off, which each of them lets them do.
async fn to_user(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    case: &RepairCase,
    (kind, data): (MailKind, serde_json::Value),
) -> Result<(), Refused> {
    if case.contact_email.is_empty() {
        return Ok(());
    }
    let fresh = hex::encode(app.ambient.secret());
    let Some(secret) = repair_cases::mute_secret(tx, platform, case.id, &fresh).await? else {
        return Ok(());
    };
    let language = language(case).code();
    let mail = NewMail {
        recipient: case.contact_email.clone(),
        language: language.to_owned(),
        kind,
        data,
        link: Some(format!("/repair-mails?token={secret}&lang={language}")),
        ends_at: None,
    };
    Ok(mails::queue(tx, platform, &[mail], &app.ambient).await?)
}
