//! What stands around every page: header, left panel, language switch.

use axum::http::Uri;
use roadstead_domain::access::{Action, Home, Role};

use super::assets::asset_url;
use super::settings::Tab;
use crate::http::Browser;
use crate::i18n::Lang;

/// The entries of the left panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Unassigned Devices.
    Unassigned,
    /// A partner's customers.
    Customers,
    /// A customer's own PCs.
    Devices,
    /// Transfers.
    Transfers,
    /// Alerts of one's own PCs.
    Alerts,
    /// Repair cases of one's own PCs and desk.
    RepairCases,
    /// The repair cases of a partner's own CSDP account.
    RepairDesk,
    /// The repair cases of customer support.
    SupportQueue,
    /// The own support cases.
    SupportCases,
    /// The operator's queue of support cases.
    SupportDesk,
    /// Pending enrolment.
    Pending,
    /// Sell-through reports.
    Reports,
    /// What needs attention, for the operator.
    Home,
    /// Partners.
    Partners,
    /// Qualifications over all partners.
    Qualifications,
    /// Who hands in reports.
    Reporters,
    /// Disputed report lines.
    Disputes,
    /// Terms by service SKU, and corrections.
    Entitlements,
    /// What stands under Settings, at the bottom of the panel.
    Settings,
    /// One's own account, in the menu at the top right.
    Account,
    /// Recall lists.
    Recalls,
    /// Background work that was given up.
    Jobs,
}

impl Entry {
    /// Where it leads.
    pub(super) fn path(self) -> &'static str {
        match self {
            Entry::Unassigned => "/unassigned-devices",
            Entry::Customers | Entry::Devices => "/customers",
            Entry::Transfers => "/transfers",
            Entry::Alerts => "/alerts",
            Entry::RepairCases | Entry::SupportQueue => "/repair-cases",
            Entry::RepairDesk => "/repair-desk",
            Entry::SupportCases | Entry::SupportDesk => "/support-cases",
            Entry::Pending => "/pending-enrolment",
            Entry::Reports => "/reports",
            Entry::Home => "/home",
            Entry::Partners => "/partners",
            Entry::Qualifications => "/qualifications",
            Entry::Reporters => "/reporters",
            Entry::Disputes => "/disputes",
            Entry::Entitlements => "/entitlements",
            Entry::Settings => "/settings",
            Entry::Account => "/account",
            Entry::Recalls => "/recalls",
            Entry::Jobs => "/jobs",
        }
    }

    /// The key of its name, which is also its page's title.
    pub(super) fn key(self) -> &'static str {
        match self {
            Entry::Unassigned => "nav-unassigned",
            Entry::Customers => "nav-customers",
            Entry::Devices => "nav-devices",
            Entry::Transfers => "nav-transfers",
            Entry::Alerts => "nav-alerts",
            Entry::RepairCases => "nav-repair-cases",
            Entry::RepairDesk => "nav-repair-desk",
            Entry::SupportQueue => "nav-support-queue",
            Entry::SupportCases => "nav-support-cases",
            Entry::SupportDesk => "nav-support-desk",
            Entry::Pending => "nav-pending",
            Entry::Reports => "nav-reports",
            Entry::Home => "nav-home",
            Entry::Partners => "nav-partners",
            Entry::Qualifications => "nav-qualifications",
            Entry::Reporters => "nav-reporters",
            Entry::Disputes => "nav-disputes",
            Entry::Entitlements => "nav-entitlements",
            Entry::Settings => "nav-settings",
            Entry::Account => "account-title",
            Entry::Recalls => "nav-recalls",
            Entry::Jobs => "nav-jobs",
        }
    }

    /// What a role finds in its left panel; the first one is its start page.
    pub(super) fn of(role: Role) -> &'static [Entry] {
        match role {
            Role::PartnerAdmin | Role::PartnerReadOnly => &[
                Entry::Unassigned,
                Entry::Customers,
                Entry::Transfers,
                Entry::Pending,
                Entry::Alerts,
                Entry::RepairCases,
                Entry::RepairDesk,
                Entry::SupportCases,
            ],
            Role::ItAdmin | Role::ReportAdmin => {
                &[Entry::Devices, Entry::Pending, Entry::Alerts, Entry::RepairCases, Entry::SupportCases]
            }
            Role::Distributor => &[Entry::Reports, Entry::SupportCases],
            Role::CustomerSupport => &[Entry::SupportQueue],
            Role::Operator => &[
                Entry::Home,
                Entry::Partners,
                Entry::Qualifications,
                Entry::Reporters,
                Entry::Reports,
                Entry::Disputes,
                Entry::Pending,
                Entry::SupportDesk,
                Entry::Entitlements,
                Entry::Recalls,
                Entry::Jobs,
            ],
        }
    }
}

/// Whoever is signed in, as the header shows them.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// Their name.
    pub(super) name: String,
    /// Their address.
    pub(super) email: String,
    /// Their role in words.
    pub(super) role: String,
    /// What their forms carry.
    pub(super) csrf: String,
    /// Whether there are PCs for them to find by serial.
    pub(super) finds_devices: bool,
    /// Whether they may ask why a PC is where it is, or is not there.
    pub(super) explains: bool,
    /// Whether there is a notification area for them.
    pub(super) is_notified: bool,
    /// Whether they may open a support case.
    pub(super) opens_cases: bool,
    /// The left panel.
    pub(super) entries: &'static [Entry],
    /// What stands at its bottom.
    pub(super) bottom: &'static [Entry],
}

/// The customer tenant that a page is inside of.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// The tenant's id.
    pub(super) id: String,
    /// The customer's name.
    pub(super) name: String,
}

/// What `layout.html` needs to know of a page.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The page's language.
    pub(super) lang: Lang,
    /// The page's title.
    pub(super) title: String,
    /// The page's own address, to come back to.
    pub(super) here: String,
    /// The entry that the page belongs to.
    pub(super) entry: Option<Entry>,
    /// Whoever is signed in.
    pub(super) person: Option<Person>,
    /// The customer tenant that the page is inside of.
    pub(super) chosen: Option<Chosen>,
    /// Where the events stood before anything was read for the page.
    pub(super) position: i64,
}

impl Frame {
    /// The same frame, inside a customer's tenant.
    pub(super) fn inside(self, chosen: Chosen) -> Self {
        Self { chosen: Some(chosen), ..self }
    }

    /// Whether the reader may choose among customers at the top left.
    pub(super) fn chooses_customers(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.entries.contains(&Entry::Customers))
    }

    /// The frame of an entry's own page, which has its name.
    pub(super) fn at(browser: &Browser, uri: &Uri, entry: Entry) -> Self {
        Self::of(browser, uri, entry, browser.lang.text(entry.key()))
    }

    /// The frame of a signed-in page.
    pub(super) fn of(browser: &Browser, uri: &Uri, entry: Entry, title: String) -> Self {
        let lang = browser.lang;
        let person = Person {
            name: browser.session.name.clone(),
            email: browser.session.email.clone(),
            role: lang.text(&format!("role-{}", browser.caller.role.as_str().replace('_', "-"))),
            csrf: browser.session.csrf.clone(),
            finds_devices: browser.may(Action::ReadDevice).is_ok(),
            explains: browser.may(Action::Explain).is_ok(),
            is_notified: browser.may(Action::ReadEnrolments).is_ok(),
            opens_cases: browser.may(Action::OpenSupportCases).is_ok_and(|scope| scope.home().is_some()),
            entries: Entry::of(browser.caller.role),
            bottom: if Tab::of(&browser.caller).is_empty() { &[] } else { &[Entry::Settings] },
        };
        let here = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        // A customer's own people are inside of it wherever they are.
        let chosen = match browser.caller.home {
            Home::Customer(id) => Some(Chosen { id: id.to_string(), name: String::new() }),
            _ => None,
        };
        let position = browser.position;
        Self { lang, title, here, entry: Some(entry), person: Some(person), chosen, position }
    }

    /// The frame of a guide or another page that belongs to no entry.
    pub(super) fn help(browser: &Browser, uri: &Uri, title: String) -> Self {
        Self { entry: None, ..Self::of(browser, uri, Entry::Unassigned, title) }
    }

    /// The frame of a page that needs no sign-in.
    pub(super) fn visitor(lang: Lang, title: String) -> Self {
        let here = "/".to_owned();
        Self { lang, title, here, entry: None, person: None, chosen: None, position: 0 }
    }

    /// The address of an asset.
    pub(super) fn asset(&self, name: &str) -> String {
        asset_url(name)
    }

    /// The address of the live events, from where the page stands.
    pub(super) fn events(&self) -> String {
        format!("/api/v1/events?after={}", self.position)
    }

    /// Whether the reader is one of the customer itself.
    pub(super) fn is_customers_own(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.entries.contains(&Entry::Devices))
    }

    /// Whether the page belongs to this entry.
    pub(super) fn is_at(&self, entry: &Entry) -> bool {
        let is_below = *entry == Entry::Devices && (self.is_inside("arrivals") || self.is_inside("settings"));
        self.entry == Some(*entry) && !is_below
    }

    /// Whether the page is in this part of the customer tenant.
    pub(super) fn is_inside(&self, part: &str) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| {
            let below = self.here.strip_prefix("/customers/").and_then(|rest| rest.strip_prefix(&chosen.id));
            below.is_some_and(|rest| rest.trim_start_matches('/').starts_with(part))
        })
    }
}
