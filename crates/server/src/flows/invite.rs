//! Inviting people into a home, one or many. The mail carries a link that works once.

use roadstead_domain::access::{self, Actor, Home, Role, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::InvitationId;
use roadstead_domain::mail::MailKind;
use roadstead_domain::user::{INVITATION_SECONDS, MOST_AT_ONCE, MOST_OPEN};
use roadstead_ingest::{Column, TableError, TableRow, read_table};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::invitations::{self, Invitation};
use roadstead_store::mails::{self, NewMail};
use roadstead_store::users::{self, email_key};
use roadstead_store::{Tx, customers, partners, reporters};

use super::{Refused, tokens};
use crate::app::App;
use crate::i18n::Lang;
use crate::mail::is_address;

/// Somebody to be invited, as written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Person<'a> {
    /// The address.
    pub email: &'a str,
    /// The name.
    pub name: &'a str,
    /// The code of the role, or its name in one of our languages; empty where the home has only one.
    pub role: &'a str,
    /// `en` or `de`; empty for English.
    pub language: &'a str,
}

/// Somebody who can be invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitee {
    email: String,
    name: String,
    role: Role,
    lang: Lang,
}

impl Invitee {
    /// Checks what was written against the roles of the home.
    pub fn check(person: Person<'_>, home: Home) -> Result<Self, Refused> {
        let (email, name) = (person.email.trim(), person.name.trim());
        super::filled("email", email)?;
        if !is_address(email) {
            return Err(Refused::invalid("field.not_an_address", "email"));
        }
        super::filled("name", name)?;
        let role = match (person.role.trim(), home.roles()) {
            ("", [only]) => Some(*only),
            ("", _) => return Err(Refused::invalid("field.missing", "role")),
            (written, roles) => roles.iter().copied().find(|role| is_called(*role, written)),
        };
        let lang = match person.language.trim() {
            "" => Some(Lang::En),
            code => Lang::from_code(&code.to_lowercase()),
        };
        Ok(Self {
            email: email.to_owned(),
            name: name.to_owned(),
            role: role.ok_or(Refused::invalid("field.unknown_value", "role"))?,
            lang: lang.ok_or(Refused::invalid("field.unknown_value", "language"))?,
        })
    }
}

/// The name of a role.
pub fn role_name(lang: Lang, role: Role) -> String {
    lang.text(&format!("role-{}", role.as_str().replace('_', "-")))
}

fn is_called(role: Role, written: &str) -> bool {
    role.as_str() == written
        || [Lang::En, Lang::De]
            .iter()
            .any(|lang| role_name(*lang, role).to_lowercase() == written.to_lowercase())
}

/// Where people are invited into, and what it is called.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// The home.
    pub home: Home,
    /// Its name; the operator's has none of its own.
    pub name: Option<String>,
}

impl Organisation {
    /// By the name of the home, in words for the operator's.
    pub fn called(&self, lang: Lang) -> String {
        self.name.clone().unwrap_or_else(|| lang.text("organisation-operator"))
    }
}

/// The home that the scope speaks for, or, for the platform alone, that of a partner, reporter or customer by id or number.
/// The role tells a partner from a reporter with the same number.
pub async fn organisation(
    tx: &mut Tx,
    scope: &Scope,
    whose: Option<&str>,
    role: Option<&str>,
) -> Result<Organisation, Refused> {
    let own = match scope.reach() {
        access::Reach::Platform | access::Reach::Desk => Home::Operator,
        access::Reach::Reporter(id) => Home::Reporter(id),
        access::Reach::Partner(id) => Home::Partner(id),
        access::Reach::Customer(id) => Home::Customer(id),
    };
    let Some(whose) = whose.filter(|whose| !whose.is_empty()) else {
        let name = match own {
            Home::Operator => None,
            Home::Reporter(id) => reporters::find(tx, scope, &id.to_string()).await?.map(|found| found.name),
            Home::Partner(_) => Some(partners::own(tx, scope).await?.name),
            Home::Customer(id) => customers::find(tx, scope, &id.to_string()).await?.map(|found| found.name),
        };
        return Ok(Organisation { home: own, name });
    };
    if scope.platform().is_err() {
        return Err(Refused::invalid("field.not_allowed", "for"));
    }
    if role != Some(Role::Distributor.as_str())
        && let Some(partner) = partners::find(tx, scope, whose).await?
    {
        return Ok(Organisation { home: Home::Partner(partner.id.into()), name: Some(partner.name) });
    }
    if let Some(reporter) = reporters::find(tx, scope, whose).await? {
        return Ok(Organisation { home: Home::Reporter(reporter.id.into()), name: Some(reporter.name) });
    }
    match customers::find(tx, scope, whose).await? {
        Some(customer) => {
            Ok(Organisation { home: Home::Customer(customer.id.into()), name: Some(customer.name) })
        }
        None => Err(Refused::invalid("partner.unknown", "for")),
    }
}

/// Invites people inside a transaction: invitations, their mails and the log of the home. The caller has asked the rules;
/// into another home than the scope's own it goes by [`Scope::carried_out`].
pub async fn into_home(
    tx: &mut Tx,
    app: &App,
    scope: &Scope,
    into: &Organisation,
    people: &[Invitee],
) -> Result<Vec<InvitationId>, Refused> {
    let home = into.home.id();
    let now = app.ambient.now();
    let ends_at = now.plus_seconds(INVITATION_SECONDS);
    let inviter = match scope.actor() {
        Actor::User(id) => users::profile(tx, id).await?.map(|profile| profile.name),
        Actor::Token(_) | Actor::Device(_) | Actor::OutsideDesk(_) | Actor::System => None,
    };
    let ids = app.ambient.ids::<InvitationId>(people.len());
    let (mut new, mut letters, mut log) = (Vec::new(), Vec::new(), Vec::new());
    for (person, id) in people.iter().zip(&ids) {
        let secret = hex::encode(app.ambient.secret());
        let (lang, role) = (person.lang, person.role);
        let organisation = into.called(lang);
        letters.push(NewMail {
            recipient: person.email.clone(),
            language: lang.code().to_owned(),
            kind: MailKind::Invitation,
            data: serde_json::json!({
                "name": person.name,
                "inviter": inviter.as_ref().unwrap_or(&organisation),
                "organisation": organisation,
                "role": role_name(lang, role),
                "until": ends_at.0,
            }),
            link: Some(format!("/invitation?token={secret}&lang={}", lang.code())),
            ends_at: Some(ends_at),
        });
        let invitation = Invitation {
            id: id.0,
            home,
            email: person.email.clone(),
            name: person.name.clone(),
            role: role.as_str().to_owned(),
            language: lang.code().to_owned(),
            created_at: now.0,
            ends_at: ends_at.0,
        };
        new.push((invitation, tokens::hash(&secret)));
        log.push(NewEntry {
            home,
            action: AuditAction::UserInvited,
            subject: Some(id.0),
            detail: serde_json::json!({ "email": person.email, "role": role.as_str() }),
        });
    }
    // Two who invite the same address at the same time: one of them is told to look again.
    invitations::put(tx, scope, home, &new).await.map_err(|error| Refused::taken(error, "email"))?;
    mails::queue(tx, scope, &letters, &app.ambient).await?;
    audit::record(tx, scope.actor(), &log, &app.ambient).await?;
    Ok(ids)
}

/// Invites somebody, into one's own home or, as the operator, into a partner's or reporter's. An open invitation of the
/// same address is replaced: its link no longer works.
pub async fn invite(
    app: &App,
    scope: &Scope,
    whose: Option<&str>,
    person: Person<'_>,
) -> Result<InvitationId, Refused> {
    let mut tx = app.store.write(scope).await?;
    let into = organisation(&mut tx, scope, whose, Some(person.role)).await?;
    let invitee = Invitee::check(person, into.home)?;
    let key = email_key(&invitee.email);
    if !users::known(&mut tx, scope, into.home.id(), &[&key]).await?.is_empty() {
        return Err(Refused::Taken { field: "email" });
    }
    let again = !invitations::known(&mut tx, scope, into.home.id(), &[&key]).await?.is_empty();
    if !again && invitations::count(&mut tx, scope, into.home.id()).await? >= MOST_OPEN {
        return Err(Refused::Conflict("invitation.too_many_open"));
    }
    let ids = into_home(&mut tx, app, scope, &into, &[invitee]).await?;
    tx.commit().await?;
    app.wake();
    ids.first().copied().ok_or_else(|| Refused::Internal(anyhow::anyhow!("an invitation without an id")))
}

/// Takes an invitation back: its link no longer works.
pub async fn withdraw(app: &App, scope: &Scope, id: InvitationId) -> Result<(), Refused> {
    let mut tx = app.store.write(scope).await?;
    let gone = invitations::withdraw(&mut tx, scope, id).await?;
    let gone = gone.ok_or(Refused::Denied(access::Denied::NotFound))?;
    let entry = NewEntry {
        home: gone.home,
        action: AuditAction::InvitationWithdrawn,
        subject: Some(gone.id),
        detail: serde_json::json!({ "email": gone.email }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(())
}

/// What a line of a list of people comes to.
#[derive(Clone, Debug)]
pub struct Line {
    /// The file's row, 1 for the header.
    pub row: u64,
    /// The address as written.
    pub email: String,
    /// The name as written.
    pub name: String,
    /// The role as written.
    pub role: String,
    /// `invited`, `invited_again`, or what is wrong: a stable code.
    pub verdict: &'static str,
    /// The field that is wrong.
    pub field: Option<&'static str>,
}

impl Line {
    /// Whether this person is invited.
    pub fn is_good(&self) -> bool {
        self.field.is_none()
    }
}

const COLUMNS: [Column; 4] = [
    Column::required("email", &["email", "mail", "address", "emailadresse", "adresse", "emailaddress"]),
    Column::required("name", &["name", "fullname", "vollstaendigername"]),
    Column::optional("role", &["role", "rolle"]),
    Column::optional("language", &["language", "sprache"]),
];

/// Invites everybody on a list, lines of comma, semicolon or tab separated text under a header. A bad line never stops the
/// others. With `validate_only` it says what each line would come to, by the same judgement, and does nothing.
pub async fn invite_many(
    app: &App,
    scope: &Scope,
    whose: Option<&str>,
    list: &[u8],
    validate_only: bool,
) -> Result<Vec<Line>, Refused> {
    let list =
        std::str::from_utf8(list).map_err(|_| Refused::invalid("invitation.list_not_utf_8", "list"))?;
    let rows = read(list)?;
    let mut tx = app.store.write(scope).await?;
    let role = rows.first().map(|row| row.role.as_str());
    let into = organisation(&mut tx, scope, whose, role).await?;
    let home = into.home.id();
    let keys: Vec<String> = rows.iter().map(|row| email_key(&row.email)).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let here = users::known(&mut tx, scope, home, &keys).await?;
    let open = invitations::known(&mut tx, scope, home, &keys).await?;
    let room = MOST_OPEN - invitations::count(&mut tx, scope, home).await?;
    let mut seen = std::collections::HashSet::new();
    let (mut lines, mut people, mut new) = (Vec::with_capacity(rows.len()), Vec::new(), 0);
    for (row, key) in rows.into_iter().zip(&keys) {
        let person = Person { email: &row.email, name: &row.name, role: &row.role, language: &row.language };
        let judged = match Invitee::check(person, into.home) {
            Ok(_) if here.iter().any(|known| known == key) => Err(("field.taken", "email")),
            Ok(_) if !seen.insert((*key).to_owned()) => Err(("invitation.twice", "email")),
            Ok(invitee) => Ok(invitee),
            Err(Refused::Invalid { code, field }) => Err((code, field)),
            Err(other) => return Err(other),
        };
        let again = open.iter().any(|known| known == key);
        let (verdict, field) = match judged {
            Ok(invitee) => {
                people.push(invitee);
                new += i64::from(!again);
                (if again { "invited_again" } else { "invited" }, None)
            }
            Err((code, field)) => (code, Some(field)),
        };
        lines.push(Line { row: row.row, email: row.email, name: row.name, role: row.role, verdict, field });
    }
    if new > room {
        return Err(Refused::Conflict("invitation.too_many_open"));
    }
    if !validate_only && !people.is_empty() {
        into_home(&mut tx, app, scope, &into, &people).await?;
        tx.commit().await?;
        app.wake();
    }
    Ok(lines)
}

struct Row {
    row: u64,
    email: String,
    name: String,
    role: String,
    language: String,
}

fn read(list: &str) -> Result<Vec<Row>, Refused> {
    let rows = read_table(list, &COLUMNS, MOST_AT_ONCE).map_err(|error| match error {
        TableError::TooManyRows => Refused::invalid("invitation.too_many", "list"),
        error => Refused::table(error, "list"),
    })?;
    let row = |TableRow { row, cells }| {
        let [email, name, role, language] = <[String; 4]>::try_from(cells).ok()?;
        Some(Row { row, email, name, role, language })
    };
    Ok(rows.into_iter().filter_map(row).collect())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_list_is_read_as_spreadsheets_write_it() {
        for list in [
            "E-Mail,Name,Role\n\"anna@example.com\",\"Beispiel, Anna\",partner_admin\n\n",
            "\u{feff}Name;Rolle;E-Mail-Adresse\r\n Beispiel, Anna ;partner_admin;anna@example.com\r\n;;\r\n",
            "email\tname\trole\nanna@example.com\tBeispiel, Anna\tpartner_admin",
        ] {
            let rows = read(list).unwrap();
            assert_eq!(rows.len(), 1, "{list}");
            let row = &rows[0];
            assert_eq!(
                (row.row, row.email.as_str(), row.name.as_str(), row.role.as_str()),
                (2, "anna@example.com", "Beispiel, Anna", "partner_admin")
            );
        }
        let refused = |list: &str| match read(list) {
            Err(Refused::Invalid { code, .. }) => code,
            _ => "taken",
        };
        assert_eq!(refused("email,phone\na@b.c,1"), "file.column_missing");
        assert_eq!(refused("email,name\n"), "file.empty");
        let many: String = (0..10_000).map(|n| format!("p{n}@example.com,Person\n")).collect();
        assert_eq!(refused(&format!("email,name\n{many}")), "invitation.too_many");
    }

    #[test]
    fn an_invitee_is_checked_field_by_field() {
        let home = Home::Partner(Uuid::from_u128(1).into());
        let good =
            Person { email: " anna@example.com ", name: "Anna", role: "partner_admin", language: "DE" };
        let invitee = Invitee::check(good, home).unwrap();
        assert_eq!((invitee.email.as_str(), invitee.lang), ("anna@example.com", Lang::De));
        for role in ["Partner admin", "partner_admin"] {
            assert!(Invitee::check(Person { role, ..good }, home).is_ok(), "{role}");
        }
        for (person, field) in [
            (Person { email: "anna", ..good }, "email"),
            (Person { email: "anna@example.com\r\nBcc: x@example.com", ..good }, "email"),
            (Person { email: "", ..good }, "email"),
            (Person { name: " ", ..good }, "name"),
            (Person { role: "operator", ..good }, "role"),
            (Person { role: "", ..good }, "role"),
            (Person { language: "fr", ..good }, "language"),
        ] {
            let refused = Invitee::check(person, home);
            assert!(matches!(refused, Err(Refused::Invalid { field: f, .. }) if f == field), "{person:?}");
        }
        // A home with one role needs none named.
        let reporter = Home::Reporter(Uuid::from_u128(2).into());
        let only = Invitee::check(Person { role: "", ..good }, reporter).unwrap();
        assert_eq!(only.role, Role::Distributor);
    }
}
