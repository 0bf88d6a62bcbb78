//! What all pages under Settings share: the tabs.

use askama::Template;
use roadstead_domain::access::{Action, Caller, authorize};

use crate::i18n::Lang;

/// A page under Settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    /// The people of one's own home.
    Users,
    /// The log of one's own home.
    Logs,
    /// Tokens of the API.
    Tokens,
    /// Mails on their way out.
    Mails,
    /// The outside desk of one's own desk.
    OutsideDesk,
}

impl Tab {
    const ALL: [Tab; 5] = [Tab::Users, Tab::Logs, Tab::Tokens, Tab::Mails, Tab::OutsideDesk];

    /// Where it leads.
    pub(super) fn path(self) -> &'static str {
        match self {
            Tab::Users => "/settings/users",
            Tab::Logs => "/settings/logs",
            Tab::Tokens => "/settings/tokens",
            Tab::Mails => "/settings/mails",
            Tab::OutsideDesk => "/settings/outside-desk",
        }
    }

    /// The key of its name.
    pub(super) fn key(self) -> &'static str {
        match self {
            Tab::Users => "settings-users",
            Tab::Logs => "settings-logs",
            Tab::Tokens => "settings-tokens",
            Tab::Mails => "settings-mails",
            Tab::OutsideDesk => "settings-outside-desk",
        }
    }

    fn action(self) -> Action {
        match self {
            Tab::Users => Action::ManageUsers,
            Tab::Logs => Action::ReadAudit,
            Tab::Tokens => Action::ManageTokens,
            Tab::Mails => Action::ReadMails,
            Tab::OutsideDesk => Action::ManageOutsideDesk,
        }
    }

    /// The tabs that somebody may open; the first one is where Settings leads.
    pub(super) fn of(caller: &Caller) -> Vec<Tab> {
        Self::ALL.into_iter().filter(|tab| authorize(caller, tab.action()).is_ok()).collect()
    }
}

/// The row of tabs above a page.
#[derive(Clone, Debug, Template)]
#[template(path = "settings_tabs.html")]
pub(super) struct Tabs {
    pub(super) lang: Lang,
    pub(super) tabs: Vec<Tab>,
    pub(super) here: Tab,
}

impl Tabs {
    /// What this caller may open, at this tab.
    pub(super) fn new(lang: Lang, caller: &Caller, here: Tab) -> Self {
        Self { lang, tabs: Tab::of(caller), here }
    }
}
