//! Behaviours through the real surfaces: a server on a port, HTTP, both engines. Run by `make test`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test says what it needs by failing")]

mod world;

mod account;
mod agent;
mod attachments;
mod bad_input;
mod barriers;
mod browser;
mod check_ins;
mod copy;
mod cpins;
mod customers;
#[path = "../../../agent/tests/desktop/desk.rs"]
#[allow(dead_code, reason = "the agent's own tests use the rest")]
mod desk;
mod desktop;
mod drop_folder;
mod enrolments;
mod explanations;
mod faults;
mod idempotency;
mod isolation;
mod jobs;
mod large_files;
mod mails;
mod messages;
mod moves;
mod nodes;
mod operator;
mod outside_desks;
mod partners;
mod pc;
mod pool;
mod previous;
mod privacy;
mod recalls;
mod repair;
mod repair_desk;
mod repair_pages;
mod reporter_quality;
mod reports;
mod resume;
mod rights;
mod rolling;
mod self_service;
mod sign_in;
mod support_cases;
mod throttling;
mod transfers;
mod unassigned;
mod users;
mod verify;
mod withdrawals;
