//! Who may do what. The only maker of [`Scope`], without which no tenant's row can be read or written.

use crate::ids::{EnrolmentId, OutsideDeskId, ReporterId, TenantId, TokenId, UserId};
use crate::repair_case::Desk;

/// What a person or a token may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The vendor's programme team.
    Operator,
    /// Reports sales; may be a distributor or a reseller that reports itself.
    Distributor,
    /// Runs a partner tenant.
    PartnerAdmin,
    /// Looks at a partner tenant.
    PartnerReadOnly,
    /// Runs a customer tenant.
    ItAdmin,
    /// Looks at a customer tenant.
    ReportAdmin,
    /// The vendor's repair desk.
    CustomerSupport,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 7] = [
        Role::Operator,
        Role::Distributor,
        Role::PartnerAdmin,
        Role::PartnerReadOnly,
        Role::ItAdmin,
        Role::ReportAdmin,
        Role::CustomerSupport,
    ];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Distributor => "distributor",
            Role::PartnerAdmin => "partner_admin",
            Role::PartnerReadOnly => "partner_read_only",
            Role::ItAdmin => "it_admin",
            Role::ReportAdmin => "report_admin",
            Role::CustomerSupport => "customer_support",
        }
    }

    /// Whether it manages the users of its home. A home keeps at least one who does.
    pub fn manages_users(self) -> bool {
        match self {
            Role::Operator | Role::Distributor | Role::PartnerAdmin | Role::ItAdmin => true,
            Role::PartnerReadOnly | Role::ReportAdmin | Role::CustomerSupport => false,
        }
    }

    /// The role with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == code)
    }
}

/// Who acts, for the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person.
    User(UserId),
    /// A bearer token.
    Token(TokenId),
    /// A PC, by its own key.
    Device(EnrolmentId),
    /// An outside desk, by the signature of its call.
    OutsideDesk(OutsideDeskId),
    /// The platform itself, in background work or on the command line.
    System,
}

/// Where a caller belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// The operator's tenant.
    Operator,
    /// A reporter.
    Reporter(ReporterId),
    /// A partner tenant.
    Partner(TenantId),
    /// A customer tenant.
    Customer(TenantId),
}

/// Somebody whose credential was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// As what.
    pub role: Role,
    /// Where.
    pub home: Home,
}

impl Home {
    /// The roles that there are in a home of this kind.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Home::Operator => &[Role::Operator, Role::CustomerSupport],
            Home::Reporter(_) => &[Role::Distributor],
            Home::Partner(_) => &[Role::PartnerAdmin, Role::PartnerReadOnly],
            Home::Customer(_) => &[Role::ItAdmin, Role::ReportAdmin],
        }
    }

    /// Its id; `None` for the operator's.
    pub fn id(self) -> Option<uuid::Uuid> {
        match self {
            Home::Operator => None,
            Home::Reporter(id) => Some(id.0),
            Home::Partner(id) | Home::Customer(id) => Some(id.0),
        }
    }
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// List partners and their qualifications.
    ReadPartners,
    /// Add partners and qualifications.
    ManagePartners,
    /// List reporters.
    ReadReporters,
    /// Add reporters.
    ManageReporters,
    /// Hand in a report.
    SubmitReport,
    /// Read reports, their lines and their operations.
    ReadReports,
    /// Read the own pool.
    ReadUnassigned,
    /// Read one PC of one's own tenants.
    ReadDevice,
    /// Ask why a PC is where it is, or is not there.
    Explain,
    /// Read the customers of a partner, or the own customer tenant, and their PCs.
    ReadCustomers,
    /// Create customer tenants and answer a customer that asks for a partner.
    ManageCustomers,
    /// Accept, decline, change or end the own customer tenant's partner, and what it may see.
    ManageOwnTenant,
    /// Turn the self-service switch of a customer tenant.
    TurnSelfService,
    /// Read support cases.
    ReadSupportCases,
    /// Open support cases, write in them and close them.
    OpenSupportCases,
    /// Decide about the serials of a support case.
    DecideSupportCases,
    /// Read transfers.
    ReadTransfers,
    /// Preview, commit and undo transfers.
    Transfer,
    /// Say what service SKUs stand for, and correct entitlements.
    ManageEntitlements,
    /// Look at disputes and at what else needs the operator's attention.
    ReadDisputes,
    /// Say how a customer's PCs come in: cPINs, domains, zero-touch lists, and who waits.
    ManageEnrolment,
    /// See which PCs wait to join.
    ReadEnrolments,
    /// See the alerts of one's own PCs.
    ReadAlerts,
    /// Raise and close alerts, as a monitor does.
    RaiseAlerts,
    /// See repair cases.
    ReadRepairCases,
    /// Open a repair case in a user's place, and say where a customer's cases go.
    OpenRepairCases,
    /// Work on the repair cases of one's own desk.
    WorkRepairCases,
    /// Say to which outside desk the cases of one's own desk are forwarded.
    ManageOutsideDesk,
    /// Say which PCs are called back.
    ManageRecalls,
    /// Decide disputes, and undo that.
    DecideDisputes,
    /// Follow live events of one's own home.
    FollowEvents,
    /// Read the log of one's own home.
    ReadAudit,
    /// See which mails went out.
    ReadMails,
    /// Invite people into one's own home, change and remove them.
    ManageUsers,
    /// One's own profile, password and sessions.
    OwnAccount,
    /// Make and revoke tokens of the API.
    ManageTokens,
    /// See background work that was given up, and try it again.
    ManageJobs,
}

impl Action {
    /// Every action.
    pub const ALL: &[Action] = &[
        Action::ReadPartners,
        Action::ManagePartners,
        Action::ReadReporters,
        Action::ManageReporters,
        Action::SubmitReport,
        Action::ReadReports,
        Action::ReadUnassigned,
        Action::ReadDevice,
        Action::Explain,
        Action::ReadCustomers,
        Action::ManageCustomers,
        Action::ManageOwnTenant,
        Action::TurnSelfService,
        Action::ReadSupportCases,
        Action::OpenSupportCases,
        Action::DecideSupportCases,
        Action::ReadTransfers,
        Action::Transfer,
        Action::ManageEntitlements,
        Action::ReadDisputes,
        Action::DecideDisputes,
        Action::ManageEnrolment,
        Action::ReadEnrolments,
        Action::ReadAlerts,
        Action::RaiseAlerts,
        Action::ReadRepairCases,
        Action::OpenRepairCases,
        Action::WorkRepairCases,
        Action::ManageOutsideDesk,
        Action::ManageRecalls,
        Action::FollowEvents,
        Action::ReadAudit,
        Action::ReadMails,
        Action::ManageUsers,
        Action::OwnAccount,
        Action::ManageTokens,
        Action::ManageJobs,
    ];
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// For this caller the thing does not exist (404).
    NotFound,
    /// It exists, and this role may only look (403).
    Forbidden,
}

/// How far a scope reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everything of the programme, without the contents of pools.
    Platform,
    /// What one reporter handed in.
    Reporter(ReporterId),
    /// One partner tenant, its holding tenant and the customers that accepted it.
    Partner(TenantId),
    /// One customer tenant.
    Customer(TenantId),
    /// The repair cases of the vendor's customer support.
    Desk,
}

/// Proof that somebody was found to be allowed. Every store function on a tenant's rows takes one and binds the
/// tenant from it; only this module makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    actor: Actor,
    reach: Reach,
}

impl Scope {
    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// How far it reaches.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The partner that it is for; a scope of another kind reaches no partner's rows.
    pub fn partner(&self) -> Result<TenantId, Denied> {
        match self.reach {
            Reach::Partner(partner) => Ok(partner),
            _ => Err(Denied::NotFound),
        }
    }

    /// The customer that it is for; a scope of another kind is no customer's.
    pub fn customer(&self) -> Result<TenantId, Denied> {
        match self.reach {
            Reach::Customer(customer) => Ok(customer),
            _ => Err(Denied::NotFound),
        }
    }

    /// The platform carrying out what this caller was found to be allowed: it reaches the rows of every home that the
    /// change touches, and the logs still name the caller. A flow asks for it after its rules have said yes.
    pub fn carried_out(&self) -> Scope {
        Scope { actor: self.actor, reach: Reach::Platform }
    }

    /// What the people of a home would reach, for the platform alone: so that the operator can be told what they are told.
    pub fn narrowed(&self, home: Home) -> Result<Scope, Denied> {
        self.platform()?;
        let reach = match home {
            Home::Operator => Reach::Platform,
            Home::Reporter(id) => Reach::Reporter(id),
            Home::Partner(id) => Reach::Partner(id),
            Home::Customer(id) => Reach::Customer(id),
        };
        Ok(Scope { actor: self.actor, reach })
    }

    /// The partner that it is for, or `None` for the whole platform.
    pub fn partner_or_platform(&self) -> Result<Option<TenantId>, Denied> {
        match self.reach {
            Reach::Partner(partner) => Ok(Some(partner)),
            Reach::Platform => Ok(None),
            _ => Err(Denied::NotFound),
        }
    }

    /// That it reaches the programme's own rows.
    pub fn platform(&self) -> Result<(), Denied> {
        match self.reach {
            Reach::Platform => Ok(()),
            _ => Err(Denied::NotFound),
        }
    }

    /// `None` for the whole platform, else the only reporter whose reports it reaches.
    pub fn reports_of(&self) -> Result<Option<ReporterId>, Denied> {
        match self.reach {
            Reach::Platform => Ok(None),
            Reach::Reporter(reporter) => Ok(Some(reporter)),
            Reach::Partner(_) | Reach::Customer(_) | Reach::Desk => Err(Denied::NotFound),
        }
    }

    /// The tenant or reporter whose log and events it reaches; `None` is the operator's.
    pub fn home(&self) -> Option<uuid::Uuid> {
        match self.reach {
            Reach::Platform | Reach::Desk => None,
            Reach::Reporter(reporter) => Some(reporter.0),
            Reach::Partner(tenant) | Reach::Customer(tenant) => Some(tenant.0),
        }
    }
}

/// Decides. A caller of another kind of home gets *not found*, a lesser role in its own home *forbidden*.
pub fn authorize(caller: &Caller, action: Action) -> Result<Scope, Denied> {
    use Action as A;
    let read_only = matches!(caller.role, Role::PartnerReadOnly | Role::ReportAdmin);
    let reach = match (caller.role, caller.home) {
        (Role::Operator, Home::Operator) => match action {
            A::ReadPartners
            | A::ManagePartners
            | A::ReadReporters
            | A::ManageReporters
            | A::ManageEntitlements
            | A::ReadDisputes
            | A::DecideDisputes
            | A::Explain
            | A::SubmitReport
            | A::ReadReports
            | A::ReadEnrolments
            | A::FollowEvents
            | A::ReadAudit
            | A::ReadSupportCases
            | A::OpenSupportCases
            | A::DecideSupportCases
            | A::RaiseAlerts
            | A::ManageOutsideDesk
            | A::ManageRecalls
            | A::ReadMails
            | A::ManageUsers
            | A::OwnAccount
            | A::ManageTokens
            | A::ManageJobs => Reach::Platform,
            _ => return Err(Denied::NotFound),
        },
        (Role::CustomerSupport, Home::Operator) => match action {
            A::ReadRepairCases | A::OpenRepairCases | A::WorkRepairCases | A::FollowEvents => Reach::Desk,
            A::OwnAccount => Reach::Platform,
            _ => return Err(Denied::NotFound),
        },
        (Role::Distributor, Home::Reporter(reporter)) => match action {
            A::SubmitReport
            | A::ReadReports
            | A::Explain
            | A::ReadSupportCases
            | A::OpenSupportCases
            | A::FollowEvents
            | A::ReadAudit
            | A::ManageUsers
            | A::OwnAccount => Reach::Reporter(reporter),
            _ => return Err(Denied::NotFound),
        },
        (Role::PartnerAdmin | Role::PartnerReadOnly, Home::Partner(partner)) => match action {
            A::ReadAudit
            | A::ManageCustomers
            | A::TurnSelfService
            | A::OpenSupportCases
            | A::Transfer
            | A::ManageUsers
            | A::ManageEnrolment
            | A::RaiseAlerts
            | A::OpenRepairCases
            | A::WorkRepairCases
            | A::ManageOutsideDesk
                if read_only =>
            {
                return Err(Denied::Forbidden);
            }
            A::ReadUnassigned
            | A::ReadDevice
            | A::Explain
            | A::ReadCustomers
            | A::ManageCustomers
            | A::TurnSelfService
            | A::ReadSupportCases
            | A::OpenSupportCases
            | A::ReadTransfers
            | A::Transfer
            | A::ManageEnrolment
            | A::ReadEnrolments
            | A::ReadAlerts
            | A::RaiseAlerts
            | A::ReadRepairCases
            | A::OpenRepairCases
            | A::WorkRepairCases
            | A::ManageOutsideDesk
            | A::FollowEvents
            | A::ReadAudit
            | A::ManageUsers
            | A::OwnAccount => Reach::Partner(partner),
            _ => return Err(Denied::NotFound),
        },
        (Role::ItAdmin | Role::ReportAdmin, Home::Customer(customer)) => match action {
            A::ReadAudit
            | A::ManageOwnTenant
            | A::OpenSupportCases
            | A::TurnSelfService
            | A::ManageEnrolment
            | A::ManageUsers
            | A::RaiseAlerts
            | A::OpenRepairCases
                if read_only =>
            {
                return Err(Denied::Forbidden);
            }
            A::ReadCustomers
            | A::Explain
            | A::ReadSupportCases
            | A::OpenSupportCases
            | A::ManageOwnTenant
            | A::TurnSelfService
            | A::FollowEvents
            | A::ReadAudit
            | A::ManageUsers
            | A::ManageEnrolment
            | A::ReadEnrolments
            | A::ReadAlerts
            | A::RaiseAlerts
            | A::ReadRepairCases
            | A::OpenRepairCases
            | A::OwnAccount => Reach::Customer(customer),
            _ => return Err(Denied::NotFound),
        },
        // A role outside its kind of home is a broken credential: it fails closed.
        _ => return Err(Denied::NotFound),
    };
    Ok(Scope { actor: caller.actor, reach })
}

/// The scope in which the platform carries out what a PC asks for by its own key. It reaches the rows of every home that
/// an enrolment touches; which PC it is about comes from the key and never from the request.
pub fn of_device(enrolment: EnrolmentId) -> Scope {
    Scope { actor: Actor::Device(enrolment), reach: Reach::Platform }
}

/// The scope of a call that an outside desk has signed: it may do what the desk does that forwards its cases there.
pub fn of_outside_desk(id: OutsideDeskId, desk: Desk) -> Scope {
    let reach = match desk {
        Desk::CustomerSupport => Reach::Desk,
        Desk::Csdp(partner) => Reach::Partner(partner),
    };
    Scope { actor: Actor::OutsideDesk(id), reach }
}

/// The scope of the platform's own background work and command line.
pub fn system() -> Scope {
    Scope { actor: Actor::System, reach: Reach::Platform }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn golden_rights_role_by_action() {
        let partner = TenantId(Uuid::from_u128(1));
        let reporter = ReporterId(Uuid::from_u128(2));
        let customer = TenantId(Uuid::from_u128(3));
        let homes = [
            ("operator", Home::Operator),
            ("reporter", Home::Reporter(reporter)),
            ("partner", Home::Partner(partner)),
            ("customer", Home::Customer(customer)),
        ];
        let mut table = String::new();
        for role in Role::ALL {
            for (name, home) in homes {
                let caller = Caller { actor: Actor::System, role, home };
                let rights: Vec<String> = Action::ALL
                    .iter()
                    .filter_map(|action| match authorize(&caller, *action) {
                        Ok(_) => Some(format!("{action:?}")),
                        Err(Denied::Forbidden) => Some(format!("{action:?}=403")),
                        Err(Denied::NotFound) => None,
                    })
                    .collect();
                if !rights.is_empty() {
                    table += &format!("{} at {name}: {}\n", role.as_str(), rights.join(" "));
                }
            }
        }
        assert_eq!(
            table,
            "operator at operator: ReadPartners ManagePartners ReadReporters ManageReporters SubmitReport ReadReports Explain ReadSupportCases OpenSupportCases DecideSupportCases ManageEntitlements ReadDisputes DecideDisputes ReadEnrolments RaiseAlerts ManageOutsideDesk ManageRecalls FollowEvents ReadAudit ReadMails ManageUsers OwnAccount ManageTokens ManageJobs\n\
             distributor at reporter: SubmitReport ReadReports Explain ReadSupportCases OpenSupportCases FollowEvents ReadAudit ManageUsers OwnAccount\n\
             partner_admin at partner: ReadUnassigned ReadDevice Explain ReadCustomers ManageCustomers TurnSelfService ReadSupportCases OpenSupportCases ReadTransfers Transfer ManageEnrolment ReadEnrolments ReadAlerts RaiseAlerts ReadRepairCases OpenRepairCases WorkRepairCases ManageOutsideDesk FollowEvents ReadAudit ManageUsers OwnAccount\n\
             partner_read_only at partner: ReadUnassigned ReadDevice Explain ReadCustomers ManageCustomers=403 TurnSelfService=403 ReadSupportCases OpenSupportCases=403 ReadTransfers Transfer=403 ManageEnrolment=403 ReadEnrolments ReadAlerts RaiseAlerts=403 ReadRepairCases OpenRepairCases=403 WorkRepairCases=403 ManageOutsideDesk=403 FollowEvents ReadAudit=403 ManageUsers=403 OwnAccount\n\
             it_admin at customer: Explain ReadCustomers ManageOwnTenant TurnSelfService ReadSupportCases OpenSupportCases ManageEnrolment ReadEnrolments ReadAlerts RaiseAlerts ReadRepairCases OpenRepairCases FollowEvents ReadAudit ManageUsers OwnAccount\n\
             report_admin at customer: Explain ReadCustomers ManageOwnTenant=403 TurnSelfService=403 ReadSupportCases OpenSupportCases=403 ManageEnrolment=403 ReadEnrolments ReadAlerts RaiseAlerts=403 ReadRepairCases OpenRepairCases=403 FollowEvents ReadAudit=403 ManageUsers=403 OwnAccount\n\
             customer_support at operator: ReadRepairCases OpenRepairCases WorkRepairCases FollowEvents OwnAccount\n"
        );
    }

    #[test]
    fn a_scope_reaches_its_own_kind_only() {
        let partner = TenantId(Uuid::from_u128(1));
        let caller = Caller { actor: Actor::System, role: Role::PartnerAdmin, home: Home::Partner(partner) };
        let scope = authorize(&caller, Action::ReadUnassigned).unwrap();
        assert_eq!(scope.partner(), Ok(partner));
        assert_eq!(scope.platform(), Err(Denied::NotFound));
        assert_eq!(scope.reports_of(), Err(Denied::NotFound));
        assert_eq!(system().partner(), Err(Denied::NotFound));
    }
}
