//! Between the network and the handlers: who calls, what is refused, how errors look.

mod caller;
pub mod cookies;
mod error;
mod idempotency;
mod router;

pub use caller::{ApiCaller, Browser, Credential, Form, VisitorLang};
pub use error::{Place, Problem};
pub use router::{Routes, router};
