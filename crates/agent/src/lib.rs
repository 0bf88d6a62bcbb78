//! The agent on the PC: its own key, its enrolment, its health, and the link to the platform. It never asks for anything
//! that a tenant has not switched on.

pub mod agent;
pub mod ambient;
pub mod channel;
pub mod config;
pub mod form;
pub mod health;
pub mod install;
pub mod keeper;
pub mod key;
pub mod link;
pub mod machine;
pub mod pace;
pub mod platform;
pub mod queue;
pub mod record;
pub mod screen;
pub mod sender;
pub mod service;
pub mod settings;
pub mod sse;
pub mod status;
pub mod texts;
pub mod words;
