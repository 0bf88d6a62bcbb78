//! Behaviours through the real surfaces: a server on a port, HTTP, both engines. Run by `make test`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test says what it needs by failing")]

mod world;

mod agent;
mod bad_input;
mod browser;
mod check_ins;
mod copy;
mod cpins;
mod customers;
mod enrolments;
mod faults;
mod isolation;
mod mails;
mod nodes;
mod partners;
mod pc;
mod pool;
mod previous;
mod reports;
mod resume;
mod self_service;
mod sign_in;
mod transfers;
mod unassigned;
