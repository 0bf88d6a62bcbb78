//! The agent on the PC: its own key, its enrolment, its health, and the link to the platform. It never asks for anything
//! that a tenant has not switched on.

pub mod agent;
pub mod ambient;
pub mod config;
pub mod health;
pub mod key;
pub mod link;
pub mod machine;
pub mod pace;
pub mod queue;
