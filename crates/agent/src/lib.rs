//! The agent on the PC. So far it holds the PC's own key; enrolment, health and pop-ups come with their own issues.

pub mod key;
