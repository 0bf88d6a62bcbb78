//! Samples of the pages about accounts.

use roadstead_domain::access::{Actor, Caller, Home, Role};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::UserId;
use roadstead_store::users::Profile;

use super::{frame, pager};
use crate::i18n::Lang;
use crate::portal::account::{AccountPage, Fields, Row as SessionRow};
use crate::portal::door::DoorPage;
use crate::portal::field::Field;
use crate::portal::layout::Entry;
use crate::portal::logs::{LogsPage, Row as LogRow, action_name};
use crate::portal::mails::{MailsPage, Row as MailRow};
use crate::portal::settings::{Tab, Tabs};
use crate::portal::tokens::{Row as TokenRow, TokensPage};
use crate::portal::users::{Open, Preview, Previewed, Row as UserRow, UsersPage};

fn tabs(lang: Lang, here: Tab) -> Tabs {
    let actor = Actor::User(UserId(uuid::Uuid::from_u128(1)));
    Tabs::new(lang, &Caller { actor, role: Role::Operator, home: Home::Operator }, here)
}

pub(super) fn account(lang: Lang) -> AccountPage {
    let row = |n: u32| SessionRow {
        id: n.to_string(),
        browser: "Firefox, Linux".to_owned(),
        user_agent: "Mozilla/5.0 <x>".to_owned(),
        address: "192.0.2.7".to_owned(),
        opened: "18.11.2026, 14:05".to_owned(),
        seen: "18.11.2026, 15:05".to_owned(),
        is_this: n == 1,
    };
    let profile = Profile {
        name: "Anna <x>".to_owned(),
        language: Some("de".to_owned()),
        time_zone: Some("Europe/Berlin".to_owned()),
        date_format: Some("iso".to_owned()),
        case_mails: false,
    };
    let fields = Fields { lang, fault: Some(("present_password", "password.wrong")) };
    AccountPage {
        frame: frame(lang, Role::PartnerReadOnly, Entry::Account),
        lang,
        csrf: "c5f".to_owned(),
        done: Some(lang.text("account-done-profile")),
        email: "anna@example.com".to_owned(),
        profile: fields.profile(&profile),
        password: fields.password(),
        sessions: vec![row(1), row(2)],
    }
}

pub(super) fn users(lang: Lang, filled: bool) -> UsersPage {
    let row = |active, is_me| UserRow {
        id: "1".to_owned(),
        name: "Ben <x>".to_owned(),
        email: "ben@example.com".to_owned(),
        role: lang.text("role-partner-admin"),
        signed_in: lang.text("users-never"),
        active,
        is_me,
        roles: vec![
            ("partner_admin", lang.text("role-partner-admin"), true),
            ("partner_read_only", lang.text("role-partner-read-only"), false),
        ],
    };
    let open = |ended| Open {
        id: "2".to_owned(),
        name: "Cara".to_owned(),
        email: "cara@example.com".to_owned(),
        role_code: "partner_admin".to_owned(),
        role: lang.text("role-partner-admin"),
        language: "de".to_owned(),
        until: "25.11.2026, 12:00".to_owned(),
        ended,
    };
    let previewed = |verdict: &str, good| Previewed {
        row: 2,
        name: "Dora".to_owned(),
        email: "dora@example.com".to_owned(),
        good,
        verdict: lang.code_text(verdict),
        advice: if good { String::new() } else { lang.code_advice(verdict) },
    };
    let preview = Preview {
        lines: vec![
            previewed("invited", true),
            previewed("invited_again", true),
            previewed("invitation.twice", false),
        ],
        good: 2,
        button: lang.text_with("users-list-invite", &[("n", 2.into())]),
    };
    UsersPage {
        frame: frame(lang, Role::Operator, Entry::Settings),
        lang,
        tabs: tabs(lang, Tab::Users),
        csrf: "c5f".to_owned(),
        done: filled.then(|| lang.text("users-done-invited")),
        wrong: filled.then(|| (lang.code_text("user.last_admin"), lang.code_advice("user.last_admin"))),
        of_all: true,
        whose: "R-3001".to_owned(),
        lead: lang.text_with("users-lead", &[("organisation", "Leuchtturm".into())]),
        fields: Vec::new(),
        invite_open: true,
        list: "email,name\n<x>,y".to_owned(),
        list_wrong: None,
        preview: filled.then_some(preview),
        rows: if filled { vec![row(true, true), row(false, false)] } else { Vec::new() },
        open: if filled { vec![open(false), open(true)] } else { Vec::new() },
        more_open: filled,
        mail_waits: true,
        pager: pager(lang, "", false),
    }
}

pub(super) fn logs(lang: Lang) -> LogsPage {
    let rows = AuditAction::ALL.iter().map(|action| LogRow {
        at: "18.11.2026, 14:05".to_owned(),
        at_machine: "2026-11-18T13:05:00Z".to_owned(),
        who: lang.text("log-by-others"),
        what: action_name(lang, action.as_str()),
        code: action.as_str().to_owned(),
        detail: vec![("email".to_owned(), "<x>".to_owned())],
    });
    LogsPage {
        frame: frame(lang, Role::PartnerAdmin, Entry::Settings),
        lang,
        tabs: tabs(lang, Tab::Logs),
        actions: AuditAction::ALL
            .iter()
            .map(|a| (a.as_str(), action_name(lang, a.as_str()), false))
            .collect(),
        people: vec![("1".to_owned(), "Anna".to_owned(), true)],
        from: "2026-11-01".to_owned(),
        until: String::new(),
        filtered: true,
        export: "/api/v1/audit-log?format=csv".to_owned(),
        rows: rows.collect(),
        pager: pager(lang, "", true),
    }
}

pub(super) fn tokens(lang: Lang) -> TokensPage {
    let row = |revoked: Option<&str>| TokenRow {
        id: "1".to_owned(),
        name: "Monitor <x>".to_owned(),
        role: lang.text("role-operator"),
        made: "18.11.2026, 14:05".to_owned(),
        used: lang.text("users-never"),
        revoked: revoked.map(str::to_owned),
    };
    TokensPage {
        frame: frame(lang, Role::Operator, Entry::Settings),
        lang,
        tabs: tabs(lang, Tab::Tokens),
        csrf: "c5f".to_owned(),
        done: None,
        made: Some("rst_0123".to_owned()),
        open: true,
        fields: vec![Field {
            id: "token-name".to_owned(),
            name: "name",
            label: "N".to_owned(),
            ..Field::default()
        }],
        rows: vec![row(None), row(Some("18.11.2026, 15:05"))],
        pager: pager(lang, "", false),
    }
}

pub(super) fn mails(lang: Lang) -> MailsPage {
    let rows = ["queued", "sent", "failed"].map(|state| MailRow {
        recipient: "anna@example.com".to_owned(),
        kind: lang.text("mail-kind-invitation"),
        state: state.to_owned(),
        state_name: lang.text(&format!("mails-{state}")),
        attempts: "3".to_owned(),
        error: "451 <x>".to_owned(),
        written: "18.11.2026, 14:05".to_owned(),
    });
    MailsPage {
        frame: frame(lang, Role::Operator, Entry::Settings),
        lang,
        tabs: tabs(lang, Tab::Mails),
        mail_waits: true,
        queued: lang.text_with("mails-count", &[("n", 1.into()), ("count", "1".into())]),
        rows: rows.into(),
        pager: pager(lang, "", false),
    }
}

pub(super) fn door(lang: Lang) -> DoorPage {
    let lead = lang.text_with(
        "invitation-lead",
        &[("organisation", "Leuchtturm <x>".into()), ("role", "R".into()), ("email", "a@b".into())],
    );
    DoorPage {
        wrong: Some((lang.code_text("link.spent"), lang.code_advice("link.spent"))),
        ..DoorPage::says(lang, "invitation-title", lead)
    }
}
