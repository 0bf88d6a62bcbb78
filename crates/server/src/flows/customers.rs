//! Customer tenants: a partner creates one; customer and partner accept, decline, ask and end.

use roadstead_domain::access::{Action, Caller, Denied, Home, Role, Scope, authorize};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::customer::{
    Assignment, Management, Preset, Side, Step, after, may_be_invited_again, plans, public_id,
};
use roadstead_domain::event::Event;
use roadstead_domain::ids::TenantId;
use roadstead_domain::mail::MailKind;
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::user::INVITATION_SECONDS;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::customers::{self, Customer};
use roadstead_store::mails::{self, NewMail};
use roadstead_store::page::Page;
use roadstead_store::{Tx, invitations, outbox, partners, users};
use uuid::Uuid;

use super::Refused;
use super::invite::{self, Invitee, Organisation, Person};
use crate::app::App;
use crate::mail::is_address;

/// What a partner says of a new customer.
#[derive(Clone, Copy, Debug)]
pub struct NewCustomer<'a> {
    /// The company's name.
    pub name: &'a str,
    /// Street and house number.
    pub address: &'a str,
    /// City.
    pub city: &'a str,
    /// Postal code.
    pub postal_code: &'a str,
    /// Two letters after ISO 3166-1, or empty.
    pub country: &'a str,
    /// The primary IT admin; not asked for in a tenant that the partner runs.
    pub admin: NewAdmin<'a>,
    /// The plan.
    pub plan: SupportLevel,
    /// Who runs the tenant.
    pub management: Management,
    /// The self-service switch's preset.
    pub preset: Preset,
}

/// A customer's primary IT admin.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewAdmin<'a> {
    /// First name.
    pub first_name: &'a str,
    /// Last name.
    pub last_name: &'a str,
    /// Address.
    pub email: &'a str,
    /// Telephone number, or empty.
    pub phone: &'a str,
    /// How they sign in; empty for a password.
    pub identity_provider: &'a str,
}

impl NewCustomer<'_> {
    fn check(&self) -> Result<(), Refused> {
        for (field, text) in [
            ("name", self.name),
            ("address", self.address),
            ("city", self.city),
            ("postal_code", self.postal_code),
        ] {
            super::filled(field, text)?;
        }
        let is_code = self.country.len() == 2 && self.country.bytes().all(|b| b.is_ascii_uppercase());
        if !(self.country.is_empty() || is_code) {
            return Err(Refused::invalid("field.unknown_value", "country"));
        }
        let admin = &self.admin;
        if self.management == Management::Customer {
            super::filled("admin.first_name", admin.first_name)?;
            super::filled("admin.last_name", admin.last_name)?;
            super::filled("admin.email", admin.email)?;
        }
        if !admin.email.is_empty() && !is_address(admin.email) {
            return Err(Refused::invalid("field.not_an_address", "admin.email"));
        }
        for (field, text) in [
            ("admin.first_name", admin.first_name),
            ("admin.last_name", admin.last_name),
            ("admin.email", admin.email),
            ("admin.phone", admin.phone),
            ("admin.identity_provider", admin.identity_provider),
        ] {
            if text.chars().count() > 200 {
                return Err(Refused::invalid("field.too_long", field));
            }
        }
        Ok(())
    }
}

/// Creates a customer tenant of the scope's partner, which must be qualified for the plan.
pub async fn create(app: &App, scope: &Scope, new: &NewCustomer<'_>) -> Result<TenantId, Refused> {
    let partner = scope.partner()?;
    new.check()?;
    let now = app.ambient.now();
    let platform = scope.carried_out();
    let mut tx = app.store.write(&platform).await?;
    let own: Vec<_> = partners::qualifications(&mut tx, &platform, &[partner])
        .await?
        .into_iter()
        .map(|recorded| recorded.qualification)
        .collect();
    let plans = plans(&own, now.date());
    if plans.is_empty() {
        return Err(Refused::Conflict("customer.partner_not_qualified"));
    }
    if !plans.contains(&new.plan) {
        return Err(Refused::invalid("customer.plan_not_certified", "plan"));
    }
    let id: TenantId = app.ambient.id();
    let number = public_id('C', &app.ambient.secret());
    let admin = &new.admin;
    let row = customers::NewCustomer {
        name: new.name,
        address: new.address,
        city: new.city,
        postal_code: new.postal_code,
        country: new.country,
        admin: [admin.first_name, admin.last_name, admin.email, admin.phone],
        identity_provider: admin.identity_provider,
        plan: new.plan,
        management: new.management,
        preset: new.preset,
    };
    customers::create(&mut tx, &platform, id, &number, partner, &row, now).await?;
    let detail = serde_json::json!({
        "customer_id": number, "name": new.name, "management": new.management, "plan": new.plan.as_str(),
        "self_service": new.preset,
    });
    tell(app, &mut tx, scope, &[partner.0, id.0], AuditAction::CustomerCreated, id, &detail).await?;
    if new.management == Management::Customer {
        invite_admin(&mut tx, app, scope, id, new.name, new.country, *admin).await.map_err(|refused| {
            match refused {
                Refused::Invalid { code, .. } => Refused::invalid(code, "admin.email"),
                other => other,
            }
        })?;
    }
    tx.commit().await?;
    app.wake();
    Ok(id)
}

/// Invites the primary IT admin, who then accepts or declines the partner.
async fn invite_admin(
    tx: &mut Tx,
    app: &App,
    scope: &Scope,
    id: TenantId,
    name: &str,
    country: &str,
    admin: NewAdmin<'_>,
) -> Result<(), Refused> {
    let into = Organisation { home: Home::Customer(id), name: Some(name.to_owned()) };
    let german = ["DE", "AT", "CH", "LI"].contains(&country);
    let person = Person {
        email: admin.email,
        name: &format!("{} {}", admin.first_name, admin.last_name),
        role: Role::ItAdmin.as_str(),
        language: if german { "de" } else { "en" },
    };
    let invitee = Invitee::check(person, into.home)?;
    invite::into_home(tx, app, &scope.carried_out(), &into, &[invitee]).await?;
    Ok(())
}

/// Invites the primary IT admin again, at this address if one is given: the link that was sent before opens nothing any
/// more. Only as long as nobody of the customer has joined: then the tenant's people are the customer's own.
pub async fn invite_again(app: &App, scope: &Scope, id_or_number: &str, email: &str) -> Result<(), Refused> {
    let own = scope.partner()?;
    let email = email.trim();
    if email.chars().count() > 200 {
        return Err(Refused::invalid("field.too_long", "email"));
    }
    if !(email.is_empty() || is_address(email)) {
        return Err(Refused::invalid("field.not_an_address", "email"));
    }
    let platform = scope.carried_out();
    let mut tx = app.store.read(scope).await?;
    let customer = found(&mut tx, scope, id_or_number).await?;
    drop(tx);
    let email = if email.is_empty() { customer.admin_email.as_str() } else { email };
    let (id, now) = (TenantId(customer.id), app.ambient.now());
    let mut tx = app.store.write(&platform).await?;
    let one = Page { limit: Some(1), cursor: None };
    let people = users::list(&mut tx, &platform, Some(id.0), &one).await?;
    let has_joined = people.is_some_and(|people| !people.items.is_empty());
    may_be_invited_again(customer.management()?, customer.assignment()?, has_joined)
        .map_err(|no| Refused::Conflict(no.code()))?;
    // The invitation before the customer, as whoever accepts it has them.
    invitations::withdraw_address(&mut tx, &platform, Some(id.0), &customer.admin_email).await?;
    let until = now.plus_seconds(INVITATION_SECONDS);
    if !customers::invite_again(&mut tx, &platform, &customer, email, until, now).await? {
        return Err(Refused::Conflict("customer.changed_meanwhile"));
    }
    let admin = NewAdmin {
        first_name: &customer.admin_first_name,
        last_name: &customer.admin_last_name,
        email,
        ..NewAdmin::default()
    };
    invite_admin(&mut tx, app, scope, id, &customer.name, &customer.country, admin).await?;
    let detail = serde_json::json!({ "customer": customer.name, "email": email });
    tell(app, &mut tx, scope, &[own.0, id.0], AuditAction::CustomerInvitedAgain, id, &detail).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// The scope in which this caller may take a step between a customer and its partner. Whoever is of either side is told that
/// it may not, nobody else that there is anything.
pub fn may_step(caller: &Caller) -> Result<Scope, Denied> {
    match (authorize(caller, Action::ManageOwnTenant), authorize(caller, Action::ManageCustomers)) {
        (Ok(scope), _) | (_, Ok(scope)) => Ok(scope),
        (Err(Denied::Forbidden), _) => Err(Denied::Forbidden),
        (Err(Denied::NotFound), Err(of_partner)) => Err(of_partner),
    }
}

/// Takes a step between the customer and its partner; `asked` is the partner's number where one is asked.
pub async fn step(
    app: &App,
    scope: &Scope,
    id_or_number: &str,
    step: Step,
    asked: Option<&str>,
) -> Result<Assignment, Refused> {
    let side = if scope.partner().is_ok() { Side::Partner } else { Side::Customer };
    let platform = scope.carried_out();
    let mut tx = app.store.read(scope).await?;
    let customer = found(&mut tx, scope, id_or_number).await?;
    drop(tx);
    let next = after(customer.management()?, customer.assignment()?, side, step)
        .map_err(|no| Refused::Conflict(no.code()))?;
    let mut tx = app.store.write(&platform).await?;
    if (side, step) == (Side::Partner, Step::End) {
        // What the partner takes back opens nothing. The invitation before the customer, as whoever accepts it has them.
        invitations::withdraw_address(&mut tx, &platform, Some(customer.id), &customer.admin_email).await?;
    }
    let before = customer.partner;
    let partner = match (step, asked) {
        (Step::Ask, Some(number)) => Some(asked_partner(app, &mut tx, &platform, number).await?),
        (Step::Ask, None) => return Err(Refused::invalid("field.missing", "partner_number")),
        // Who was ended or declined keeps no view of the tenant.
        (Step::End | Step::Decline, _) => None,
        (Step::Accept, _) => before.map(TenantId),
    };
    if !customers::assign(&mut tx, &platform, &customer, partner, next, app.ambient.now()).await? {
        return Err(Refused::Conflict("customer.changed_meanwhile"));
    }
    let mut homes: Vec<Uuid> =
        [Some(customer.id), before, partner.map(|id| id.0)].into_iter().flatten().collect();
    homes.sort_unstable();
    homes.dedup();
    let detail = serde_json::json!({ "from": customer.assignment, "to": next, "customer": customer.name });
    let id = TenantId(customer.id);
    tell(app, &mut tx, scope, &homes, AuditAction::AssignedPartnerChanged, id, &detail).await?;
    tx.commit().await?;
    app.wake();
    Ok(next)
}

async fn asked_partner(app: &App, tx: &mut Tx, platform: &Scope, number: &str) -> Result<TenantId, Refused> {
    let unknown = || Refused::invalid("customer.partner_unknown", "partner_number");
    let partner = partners::find(tx, platform, number).await?.ok_or_else(unknown)?;
    let own: Vec<_> = partners::qualifications(tx, platform, &[TenantId(partner.id)])
        .await?
        .into_iter()
        .map(|recorded| recorded.qualification)
        .collect();
    // A partner that may take no new customer is answered like one that is not there: its standing is its own matter.
    if plans(&own, app.ambient.now().date()).is_empty() { Err(unknown()) } else { Ok(TenantId(partner.id)) }
}

/// Lets the partner look into the customer's tenant, or not; only the customer says.
pub async fn set_partner_access(
    app: &App,
    scope: &Scope,
    id_or_number: &str,
    open: bool,
) -> Result<(), Refused> {
    let own = scope.customer()?;
    let platform = scope.carried_out();
    let mut tx = app.store.read(scope).await?;
    let customer = found(&mut tx, scope, id_or_number).await?;
    drop(tx);
    if customer.management()? == Management::Partner {
        return Err(Refused::Conflict("customer.partner_managed"));
    }
    let mut tx = app.store.write(&platform).await?;
    customers::set_partner_access(&mut tx, &platform, own, open, app.ambient.now()).await?;
    let homes: Vec<Uuid> = [Some(own.0), customer.partner].into_iter().flatten().collect();
    let detail = serde_json::json!({ "open": open });
    tell(app, &mut tx, scope, &homes, AuditAction::PartnerAccessChanged, own, &detail).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// Disables a customer tenant, or enables it again: its partner's word, as long as it manages the tenant. A disabled one
/// takes no PC in; what is there stays.
pub async fn set_disabled(
    app: &App,
    scope: &Scope,
    id_or_number: &str,
    disabled: bool,
) -> Result<(), Refused> {
    let own = scope.partner()?;
    let platform = scope.carried_out();
    let mut tx = app.store.read(scope).await?;
    let customer = super::cpins::manageable(&mut tx, scope, id_or_number).await?;
    drop(tx);
    if customer.disabled_at.is_some() == disabled {
        return Ok(());
    }
    let now = app.ambient.now();
    let mut tx = app.store.write(&platform).await?;
    if !customers::set_disabled(&mut tx, &platform, &customer, disabled.then_some(now), now).await? {
        return Err(Refused::Conflict("customer.changed_meanwhile"));
    }
    let action = if disabled { AuditAction::CustomerDisabled } else { AuditAction::CustomerEnabled };
    let detail = serde_json::json!({ "customer": customer.name });
    let id = TenantId(customer.id);
    tell(app, &mut tx, scope, &[own.0, id.0], action, id, &detail).await?;
    mail_admins(app, &mut tx, &platform, &customer, disabled).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// The customer's admins are told what their partner did, and whom to ask.
async fn mail_admins(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    customer: &Customer,
    disabled: bool,
) -> Result<(), Refused> {
    let mails: Vec<NewMail> = customers::admins(tx, platform, TenantId(customer.id))
        .await?
        .into_iter()
        .map(|(name, recipient, language)| NewMail {
            recipient,
            language: language.unwrap_or_else(|| "en".to_owned()),
            kind: if disabled { MailKind::CustomerDisabled } else { MailKind::CustomerEnabled },
            data: serde_json::json!({
                "name": name, "organisation": customer.name, "partner": customer.partner_name,
            }),
            link: Some(format!("/customers/{}", customer.id)),
            ends_at: None,
        })
        .collect();
    Ok(mails::queue(tx, platform, &mails, &app.ambient).await?)
}

/// The customer, or *not found*.
pub async fn found(tx: &mut Tx, scope: &Scope, id_or_number: &str) -> Result<Customer, Refused> {
    let customer = customers::find(tx, scope, id_or_number).await?;
    Ok(customer.ok_or(Denied::NotFound)?)
}

/// One line in the log of each home concerned, and one event for its open pages.
async fn tell(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    homes: &[Uuid],
    action: AuditAction,
    customer: TenantId,
    detail: &serde_json::Value,
) -> Result<(), Refused> {
    let entries: Vec<NewEntry> = homes
        .iter()
        .map(|home| NewEntry { home: Some(*home), action, subject: Some(customer.0), detail: detail.clone() })
        .collect();
    audit::record(tx, scope.actor(), &entries, &app.ambient).await?;
    let events: Vec<_> =
        homes.iter().map(|home| (Some(*home), Event::CustomerChanged { customer })).collect();
    outbox::publish(tx, &events, app.ambient.now()).await?;
    Ok(())
}
