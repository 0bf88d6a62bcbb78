//! What waits for an answer in somebody's home: the notification area.

use roadstead_domain::access::{Reach, Scope};
use roadstead_domain::arrival::DECLINE_FOR;
use roadstead_domain::clock::Micros;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::enrolments;
use crate::error::Result;

/// More than so many are not counted.
pub const MOST: i64 = 1_000;

/// What waits for an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// The partner that has invited the scope's customer.
    pub invited_by: Option<String>,
    /// Customers that ask the scope's partner to look after them: id and name.
    pub asked_by: Vec<(Uuid, String)>,
    /// Customers that have not answered the scope's partner yet.
    pub unanswered: i64,
    /// PCs that came to the scope's customer, may still be declined and were not confirmed.
    pub arrivals: i64,
    /// PCs that wait to join, on the scope's side.
    pub enrolments: i64,
}

impl Notices {
    /// How many there are, each kind of PCs and of unanswered invitations as one.
    pub fn count(&self) -> usize {
        usize::from(self.invited_by.is_some())
            + self.asked_by.len()
            + [self.unanswered, self.arrivals, self.enrolments].iter().filter(|count| **count > 0).count()
    }
}

/// What waits for the scope's home at this moment.
pub async fn of_home(tx: &mut Tx, scope: &Scope, now: Micros) -> Result<Notices> {
    let mut notices = Notices { enrolments: enrolments::waiting(tx, scope).await?, ..Notices::default() };
    match scope.reach() {
        Reach::Customer(own) => {
            let partner: Option<(String,)> = tx
                .optional(
                    "SELECT n.name FROM customers c JOIN partners n ON n.tenant = c.partner \
                     WHERE c.tenant = $1 AND c.assignment = 'invited'",
                    args![own],
                )
                .await?;
            notices.invited_by = partner.map(|(name,)| name);
            notices.arrivals = tx
                .number(
                    "SELECT COUNT(*) FROM (SELECT 1 FROM placements p JOIN placement_log l ON l.device = p.device \
                     AND l.generation = p.generation AND l.to_tenant = p.tenant WHERE p.tenant = $1 AND p.since > $2 \
                     AND l.cause IN ('transfer', 'undo') AND NOT EXISTS (SELECT 1 FROM possessions o \
                     WHERE o.device = p.device AND o.generation = p.generation) LIMIT $3) x",
                    args![own, now.0 - DECLINE_FOR, MOST],
                )
                .await?;
        }
        Reach::Partner(own) => {
            notices.asked_by = tx
                .all(
                    "SELECT tenant, name FROM customers WHERE partner = $1 AND assignment = 'requested' \
                     ORDER BY name, tenant LIMIT 20",
                    args![own],
                )
                .await?;
            notices.unanswered = tx
                .number(
                    "SELECT COUNT(*) FROM (SELECT 1 FROM customers WHERE partner = $1 AND assignment = 'invited' \
                     LIMIT $2) x",
                    args![own, MOST],
                )
                .await?;
        }
        Reach::Platform | Reach::Desk | Reach::Reporter(_) => {}
    }
    Ok(notices)
}
