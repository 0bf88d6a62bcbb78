//! The agent on a real desktop: a real process, real notifications, a real mouse, a real browser.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test says what it needs by failing")]

mod desk;
mod form;
mod platform;
mod pop_up;

#[expect(clippy::disallowed_methods, reason = "the agent is a real process with the machine's own clock")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
