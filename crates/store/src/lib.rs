//! Every SQL statement of Roadstead, on SQLite and on PostgreSQL.
//!
//! One file a noun. A function on a tenant's rows takes `&Scope` first and binds the tenant from it; functions that
//! take a scope of the platform say so by calling [`Scope::platform`](roadstead_domain::access::Scope::platform).
//! [`engine`] is the only file that knows which database it is.
//!
//! To add a table: a migration in `migrations/`, a file for its noun, functions that take the transaction and the
//! scope, and a test under both engines (see [`testing`]).

pub mod alerts;
pub mod arrivals;
pub mod attachments;
pub mod audit;
pub mod bulk;
pub mod check_ins;
pub mod cpins;
pub mod customers;
pub mod dead_jobs;
pub mod desk_hours;
pub mod device_keys;
pub mod devices;
pub mod disputes;
pub mod engine;
pub mod enrolments;
pub mod entitlements;
mod error;
pub mod explanations;
pub mod idempotency;
pub mod invitations;
pub mod jobs;
pub mod lines;
pub mod mails;
pub mod migrate;
pub mod notices;
pub mod operations;
pub mod outbox;
pub mod outside_desks;
pub mod own_headers;
pub mod page;
pub mod partners;
pub mod password_resets;
pub mod placements;
pub mod pool;
pub mod pool_page;
pub mod pop_ups;
pub mod privacy;
pub mod recalls;
pub mod repair_cases;
pub mod reporter_quality;
pub mod reporters;
pub mod reports;
pub mod saved_views;
pub mod self_service;
pub mod serials;
pub mod sessions;
pub mod support_cases;
pub mod testing;
pub mod throttle;
pub mod tokens;
pub mod transfers;
pub mod users;

pub use engine::{Store, Tx};
pub use error::{Error, Result};
