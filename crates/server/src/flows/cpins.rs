//! How a customer's PCs come in: its cPINs, its domains, its zero-touch list. Set by its IT admin, or by the partner that
//! the customer has let in.

use jiff::civil::Date;
use roadstead_domain::access::{Actor, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::cpin::{self, MOST_USES, USUAL_LIFE_SECONDS, rotate};
use roadstead_domain::customer::Management;
use roadstead_domain::ids::{CpinId, TenantId};
use roadstead_domain::mail::MailKind;
use roadstead_domain::serial;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::cpins::{self, Cpin};
use roadstead_store::customers::Customer;
use roadstead_store::mails::{self, NewMail};
use roadstead_store::{Error, Tx, check_ins, customers};

use super::Refused;
use crate::app::App;
use crate::mail::is_address;

/// The customer, if the caller may say how its PCs come in.
pub async fn manageable(tx: &mut Tx, scope: &Scope, id_or_number: &str) -> Result<Customer, Refused> {
    let customer = super::customers::found(tx, scope, id_or_number).await?;
    if scope.partner().is_ok() && !customer.is_open_to_partner() {
        return Err(Refused::NotOpen);
    }
    Ok(customer)
}

/// The customer with a transaction of the platform in which to change how its PCs come in; until it ends nobody takes the
/// right to do so away.
async fn held(app: &App, scope: &Scope, id_or_number: &str) -> Result<(Tx, Customer), Refused> {
    let mut own = app.store.read(scope).await?;
    let customer = manageable(&mut own, scope, id_or_number).await?;
    drop(own);
    let platform = scope.carried_out();
    let mut tx = app.store.write(&platform).await?;
    customers::hold(&mut tx, &platform, TenantId(customer.id)).await?;
    // As it is by now: whoever waited for the writer may have lost the customer meanwhile.
    tx.act_for(scope).await?;
    let customer = manageable(&mut tx, scope, &customer.id.to_string()).await?;
    tx.act_for(&platform).await?;
    Ok((tx, customer))
}

/// Makes a cPIN. The former one goes on for a while, older ones end: two are valid at once.
pub async fn create(
    app: &App,
    scope: &Scope,
    customer: &str,
    last_day: Option<Date>,
    most_uses: Option<i64>,
) -> Result<Cpin, Refused> {
    let now = app.ambient.now();
    let expires_at = match last_day {
        None => now.plus_seconds(USUAL_LIFE_SECONDS),
        Some(day) => {
            after(day).filter(|end| *end > now).ok_or(Refused::invalid("date.past", "expires_on"))?
        }
    };
    let most_uses = most_uses.unwrap_or(MOST_USES);
    if !(1..=MOST_USES).contains(&most_uses) {
        return Err(Refused::invalid("field.unknown_value", "most_uses"));
    }
    let (mut tx, customer) = held(app, scope, customer).await?;
    let (platform, tenant) = (scope.carried_out(), TenantId(customer.id));
    let valid: Vec<Cpin> = cpins::list(&mut tx, &platform, tenant)
        .await?
        .into_iter()
        .filter(|cpin| cpin.bounds().check(now).is_ok())
        .collect();
    let ends: Vec<Micros> = valid.iter().map(|cpin| Micros(cpin.expires_at)).collect();
    for (former, end) in valid.iter().zip(rotate(&ends, now)) {
        cpins::set_end(&mut tx, &platform, CpinId(former.id), end).await?;
    }
    let id: CpinId = app.ambient.id();
    let made = Cpin {
        id: id.0,
        customer: customer.id,
        code: cpin::Cpin::random(&*app.ambient.entropy).as_str().to_owned(),
        made_by: if scope.partner().is_ok() { "partner" } else { "customer" }.to_owned(),
        maker: match scope.actor() {
            Actor::User(id) => Some(id.0),
            Actor::Token(id) => Some(id.0),
            Actor::Device(_) | Actor::OutsideDesk(_) | Actor::System => None,
        },
        created_at: now.0,
        expires_at: expires_at.0,
        revoked_at: None,
        most_uses,
        uses: 0,
        used_at: None,
        used_by: None,
    };
    cpins::add(&mut tx, &platform, &made).await?;
    // The log names the cPIN by its id: whoever reads logs need not learn the code.
    let detail =
        serde_json::json!({ "cpin": id, "expires_at": expires_at.rfc3339(), "most_uses": most_uses });
    note(app, &mut tx, scope, &customer, AuditAction::CpinCreated, detail).await?;
    tx.commit().await?;
    app.wake();
    Ok(made)
}

/// Sends the customer what it needs to enrol PCs: the newest valid cPIN and how to use it. To its primary IT admin if no
/// address is given. The address that it went to.
pub async fn send_instructions(
    app: &App,
    scope: &Scope,
    customer: &str,
    email: Option<&str>,
    language: &str,
) -> Result<String, Refused> {
    let now = app.ambient.now();
    let (mut tx, customer) = held(app, scope, customer).await?;
    let platform = scope.carried_out();
    let made = cpins::list(&mut tx, &platform, TenantId(customer.id)).await?;
    if customer.disabled_at.is_some() {
        return Err(Refused::Conflict("cpin.customer_disabled"));
    }
    let valid = made.into_iter().find(|cpin| cpin.bounds().check(now).is_ok());
    let Some(valid) = valid else { return Err(Refused::Conflict("cpin.none_valid")) };
    let email = email.map(str::trim).filter(|email| !email.is_empty()).unwrap_or(&customer.admin_email);
    if email.is_empty() {
        return Err(Refused::invalid("field.missing", "email"));
    }
    if !is_address(email) || email.len() > 200 {
        return Err(Refused::invalid("field.not_an_address", "email"));
    }
    let shown = valid.code.parse::<cpin::Cpin>().map_or_else(|_| valid.code.clone(), |cpin| cpin.to_string());
    // To the primary admin by name; who else it goes to is the customer's company.
    let name = if email == customer.admin_email && !customer.admin_first_name.is_empty() {
        format!("{} {}", customer.admin_first_name, customer.admin_last_name)
    } else {
        customer.name.clone()
    };
    let mail = NewMail {
        recipient: email.to_owned(),
        language: language.to_owned(),
        kind: MailKind::CpinInstructions,
        data: serde_json::json!({
            "name": name,
            "organisation": customer.name,
            "inviter": customer.partner_name.clone().unwrap_or_else(|| customer.name.clone()),
            "cpin": shown,
            "until": valid.expires_at,
        }),
        link: None,
        ends_at: Some(Micros(valid.expires_at)),
    };
    mails::queue(&mut tx, &platform, &[mail], &app.ambient).await?;
    let detail = serde_json::json!({ "to": email, "cpin": valid.id });
    note(app, &mut tx, scope, &customer, AuditAction::CpinSent, detail).await?;
    tx.commit().await?;
    app.wake();
    Ok(email.to_owned())
}

/// The instant after a day.
fn after(day: Date) -> Option<Micros> {
    let next = day.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Micros(next.timestamp().as_microsecond()))
}

/// Takes a cPIN back.
pub async fn revoke(app: &App, scope: &Scope, customer: &str, id: CpinId) -> Result<(), Refused> {
    let (mut tx, customer) = held(app, scope, customer).await?;
    let platform = scope.carried_out();
    if !cpins::revoke(&mut tx, &platform, TenantId(customer.id), id, app.ambient.now()).await? {
        return Err(roadstead_domain::access::Denied::NotFound.into());
    }
    let detail = serde_json::json!({ "cpin": id });
    note(app, &mut tx, scope, &customer, AuditAction::CpinRevoked, detail).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// Replaces the customer's domains; none means that no PC is asked for its domain.
pub async fn set_domains(
    app: &App,
    scope: &Scope,
    customer: &str,
    domains: &[String],
) -> Result<Vec<String>, Refused> {
    let mut clean: Vec<String> = domains
        .iter()
        .map(|domain| domain.trim().trim_start_matches('@').trim_matches('.').to_lowercase())
        .collect();
    clean.sort_unstable();
    clean.dedup();
    let is_name = |domain: &String| {
        domain.len() <= 253
            && domain.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
            })
    };
    if clean.len() > 100 || !clean.iter().all(is_name) {
        return Err(Refused::invalid("domain.invalid", "domains"));
    }
    let (mut tx, customer) = held(app, scope, customer).await?;
    let platform = scope.carried_out();
    cpins::set_domains(&mut tx, &platform, TenantId(customer.id), &clean).await?;
    let detail = serde_json::json!({ "domains": clean });
    note(app, &mut tx, scope, &customer, AuditAction::EnrolmentDomainsChanged, detail).await?;
    tx.commit().await?;
    Ok(clean)
}

/// Puts serials on the customer's zero-touch list; how many are new on it. All or none.
pub async fn list_serials(
    app: &App,
    scope: &Scope,
    customer: &str,
    texts: &[String],
) -> Result<u64, Refused> {
    const MOST: usize = 100_000;
    if texts.len() > MOST {
        return Err(Refused::invalid("field.too_many", "serials"));
    }
    let mut serials = Vec::with_capacity(texts.len());
    let mut bad = Vec::new();
    for (row, text) in (1..).zip(texts) {
        match serial::normalize(text) {
            Ok(serial) => serials.push(serial),
            Err(_) => bad.push((row, text.chars().take(60).collect())),
        }
    }
    if !bad.is_empty() {
        bad.truncate(100);
        return Err(Refused::Rows { code: "serial.invalid", rows: bad });
    }
    serials.sort_unstable();
    serials.dedup();
    let (mut tx, customer) = held(app, scope, customer).await?;
    let platform = scope.carried_out();
    let added =
        cpins::list_serials(&mut tx, &platform, TenantId(customer.id), &serials, app.ambient.now()).await?;
    let detail = serde_json::json!({ "added": added });
    note(app, &mut tx, scope, &customer, AuditAction::ZeroTouchListed, detail).await?;
    tx.commit().await?;
    Ok(added)
}

/// Takes a serial off the list. A PC that has joined stays where it is.
pub async fn unlist_serial(app: &App, scope: &Scope, customer: &str, text: &str) -> Result<(), Refused> {
    let serial = serial::normalize(text).map_err(|_| Refused::invalid("serial.invalid", "serial"))?;
    let (mut tx, customer) = held(app, scope, customer).await?;
    let platform = scope.carried_out();
    if !cpins::unlist_serial(&mut tx, &platform, TenantId(customer.id), &serial).await? {
        return Err(roadstead_domain::access::Denied::NotFound.into());
    }
    let detail = serde_json::json!({ "removed": serial });
    note(app, &mut tx, scope, &customer, AuditAction::ZeroTouchListed, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Switches what agents may tell of persons. A customer that runs its own tenant decides that alone.
pub async fn set_privacy(
    app: &App,
    scope: &Scope,
    customer: &str,
    user: bool,
    location: bool,
) -> Result<(), Refused> {
    let (mut tx, customer) = held(app, scope, customer).await?;
    if scope.partner().is_ok() && customer.management()? == Management::Customer {
        return Err(roadstead_domain::access::Denied::Forbidden.into());
    }
    let platform = scope.carried_out();
    check_ins::set_privacy(&mut tx, &platform, TenantId(customer.id), user, location).await?;
    let detail = serde_json::json!({ "collect_user": user, "collect_location": location });
    note(app, &mut tx, scope, &customer, AuditAction::PrivacyChanged, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// In the customer's log and in its partner's.
async fn note(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    customer: &Customer,
    action: AuditAction,
    detail: serde_json::Value,
) -> Result<(), Error> {
    let homes = [Some(customer.id), customer.partner];
    let entries: Vec<NewEntry> = homes
        .into_iter()
        .flatten()
        .map(|home| NewEntry { home: Some(home), action, subject: Some(customer.id), detail: detail.clone() })
        .collect();
    audit::record(tx, scope.actor(), &entries, &app.ambient).await
}
