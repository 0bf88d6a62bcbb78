//! Roadstead's rules as pure functions and types: no I/O, no async, no ambient time or randomness.
//!
//! Who may do what is in [`access`], what a report line comes to is in [`sale`], who may hold PCs is in
//! [`partner`], how customers and partners find each other in [`customer`], where a PC is and how it moves in
//! [`placement`].

pub mod access;
pub mod alert;
pub mod arrival;
pub mod attachment;
pub mod audit;
pub mod clock;
pub mod cpin;
pub mod customer;
pub mod dispute;
pub mod enrolment;
pub mod entitlement;
pub mod event;
pub mod explanation;
pub mod ids;
pub mod mail;
pub mod partner;
pub mod placement;
pub mod privacy;
pub mod recall;
pub mod repair_case;
pub mod reporter_quality;
pub mod sale;
pub mod self_service;
pub mod serial;
pub mod support_case;
pub mod throttle;
pub mod transfer;
pub mod user;
pub mod webhook;
pub mod wire;
pub mod working_hours;
