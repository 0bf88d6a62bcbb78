//! The operator's page: partners with their qualifications, and reporters.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::ids::TenantId;
use roadstead_domain::partner::{PartnerRole, Qualification, SupportLevel};
use roadstead_store::partners::{self, Partner};
use serde::Deserialize;

use super::field::{Attempt, FormView, Forms, Sent, text};
use super::format::link;
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::standing::QualificationView;
use crate::app::App;
use crate::flows::{Refused, certify};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/partners";
/// What can have been done a moment ago.
const DONE: [&str; 2] = ["partner", "qualification"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    done: String,
}

/// A partner as the page shows it.
pub(super) struct PartnerView {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) name: String,
    pub(super) has_holding: bool,
    pub(super) qualifications: Vec<QualificationView>,
    pub(super) form: FormView,
}

/// The page.
#[derive(Template)]
#[template(path = "partners.html")]
pub(super) struct PartnersPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    /// What was done a moment ago.
    pub(super) done: Option<String>,
    pub(super) partners: Vec<PartnerView>,
    pub(super) add_partner: FormView,
    pub(super) pager: Pager,
}

impl Forms<'_> {
    /// The form that adds a partner.
    pub(super) fn add_partner(&self) -> FormView {
        let fields = ["partner_number", "name"].map(|name| self.field(PATH, name, "text"));
        self.form(PATH, "partners-add", fields.into())
    }

    /// The form that records a qualification of this partner.
    pub(super) fn qualification(&self, partner: &str) -> FormView {
        let action = qualification_path(partner);
        let levels = [SupportLevel::Premium, SupportLevel::PremiumPlus]
            .map(|level| (level.as_str().to_owned(), level.name().to_owned()));
        let roles = [PartnerRole::ResellAndViewMonitor, PartnerRole::ServiceDelivery].map(|role| {
            (role.as_str().to_owned(), self.lang.code_text(&format!("partner_role.{}", role.as_str())))
        });
        let mut fields = vec![
            self.choice(&action, "support_level", levels.into()),
            self.choice(&action, "role", roles.into()),
        ];
        let days = ["course_completed_on", "certified_on", "expires_on"];
        fields.extend(days.map(|name| self.field(&action, name, "date")));
        self.form(&action, "partners-qualify", fields)
    }
}

/// Where a qualification of this partner is recorded.
pub(super) fn qualification_path(partner: &str) -> String {
    format!("{PATH}/{partner}/qualifications")
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadPartners)?;
    let asked: Asked = super::query(&uri);
    render(&app, &browser, &scope, &uri, &asked, &Attempt::default()).await
}

async fn render(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    asked: &Asked,
    attempt: &Attempt,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let mut tx = app.store.read(scope).await?;
    let Some(found) = partners::list(&mut tx, scope, &page_at(&asked.cursor, None)).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    let ids: Vec<TenantId> = found.items.iter().map(|partner| TenantId(partner.id)).collect();
    let mut qualifications: HashMap<TenantId, Vec<Qualification>> = HashMap::new();
    for recorded in partners::qualifications(&mut tx, scope, &ids).await? {
        qualifications.entry(recorded.partner).or_default().push(recorded.qualification);
    }
    tx.commit().await?;

    let today = app.ambient.now().date();
    let forms = Forms { lang, csrf: &browser.session.csrf, cursor: &asked.cursor, attempt };
    let view = |partner: Partner| {
        let own = qualifications.get(&TenantId(partner.id)).map_or(&[][..], Vec::as_slice);
        PartnerView {
            form: forms.qualification(&partner.id.to_string()),
            id: partner.id.to_string(),
            number: partner.number,
            name: partner.name,
            has_holding: partner.holding.is_some(),
            qualifications: own.iter().map(|q| QualificationView::of(lang, q, today)).collect(),
        }
    };
    let done = DONE.contains(&asked.done.as_str()).then(|| lang.text(&format!("done-{}", asked.done)));
    let mut frame = Frame::at(browser, uri, Entry::Partners);
    // A form's target is no page to come back to.
    frame.here = link(PATH, &[("cursor", &asked.cursor)]);
    super::page(&PartnersPage {
        frame,
        lang,
        done,
        partners: found.items.into_iter().map(view).collect(),
        add_partner: forms.add_partner(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| link(PATH, &[("cursor", cursor)])),
    })
}

/// What follows a form: the page anew, saying what was done, or the form again, saying what is wrong.
async fn answer<T>(
    app: &App,
    browser: &Browser,
    uri: &Uri,
    done: &str,
    sent: Sent,
    outcome: Result<T, Refused>,
) -> Result<Response, Problem> {
    let asked = Asked { cursor: text(&sent, "cursor").to_owned(), done: String::new() };
    match outcome {
        Ok(_) => Ok(Redirect::to(&link(PATH, &[("cursor", &asked.cursor), ("done", done)])).into_response()),
        Err(refused) => {
            let scope = browser.may(Action::ReadPartners)?;
            let attempt = Attempt::of(uri.path(), sent, refused)?;
            let page = render(app, browser, &scope, uri, &asked, &attempt).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Adds a partner.
pub(super) async fn add_partner(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManagePartners)?;
    let made =
        certify::create_partner(&app, &scope, text(&sent, "partner_number"), text(&sent, "name")).await;
    answer(&app, &browser, &uri, "partner", sent, made).await
}

/// Records a qualification, or renews the one of the same level and role.
pub(super) async fn record_qualification(
    State(app): State<App>,
    browser: Browser,
    Path(partner): Path<String>,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManagePartners)?;
    let mut tx = app.store.read(&scope).await?;
    let partner = partners::find(&mut tx, &scope, &partner).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    let recorded = match read_qualification(&sent) {
        Ok(qualification) => {
            certify::record_qualification(&app, &scope, TenantId(partner.id), &qualification).await
        }
        Err(refused) => Err(refused),
    };
    answer(&app, &browser, &uri, "qualification", sent, recorded).await
}

/// The qualification of a form, or its field that is wrong.
fn read_qualification(sent: &Sent) -> Result<Qualification, Refused> {
    let unknown = |field| Refused::invalid("field.unknown_value", field);
    let day = |field: &'static str| -> Result<Option<Date>, Refused> {
        match text(sent, field) {
            "" => Ok(None),
            written => match written.parse() {
                Ok(day) => Ok(Some(day)),
                Err(_) => Err(Refused::invalid("field.not_a_date", field)),
            },
        }
    };
    Ok(Qualification {
        support_level: SupportLevel::from_code(text(sent, "support_level"))
            .ok_or_else(|| unknown("support_level"))?,
        role: PartnerRole::from_code(text(sent, "role")).ok_or_else(|| unknown("role"))?,
        course_completed_on: day("course_completed_on")?,
        certified_on: day("certified_on")?,
        expires_on: day("expires_on")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pairs: &[(&str, &str)]) -> Sent {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_qualification_is_read_or_its_field_is_named() {
        let good =
            [("support_level", "premium"), ("role", "service_delivery"), ("certified_on", " 2026-11-18 ")];
        let read = read_qualification(&sent(&good)).unwrap();
        assert_eq!(read.certified_on.map(|day| day.to_string()).as_deref(), Some("2026-11-18"));
        assert_eq!(read.expires_on, None);
        for (pairs, wrong) in [
            (vec![("role", "service_delivery")], "support_level"),
            (vec![("support_level", "premium"), ("role", "boss")], "role"),
            (vec![good[0], good[1], ("expires_on", "18.11.")], "expires_on"),
        ] {
            let refused = read_qualification(&sent(&pairs));
            assert!(matches!(refused, Err(Refused::Invalid { field, .. }) if field == wrong), "{pairs:?}");
        }
    }

    #[test]
    fn a_refused_form_keeps_what_was_typed_in_and_is_the_only_one_open() {
        let typed = sent(&[("partner_number", "R-1001"), ("name", "Alpha <GmbH>"), ("csrf", "secret")]);
        let attempt = Attempt::of(PATH, typed, Refused::Taken { field: "partner_number" }).ok().unwrap();
        let forms = Forms { lang: Lang::En, csrf: "c", cursor: "", attempt: &attempt };
        let again = forms.add_partner();
        assert!(again.open && !forms.qualification("1").open);
        assert!(again.fields[0].fault.is_some() && again.fields[1].fault.is_none());
        let html = again.render().unwrap();
        assert!(html.contains("Alpha &#60;GmbH&#62;") && !html.contains("secret"), "{html}");
    }
}
