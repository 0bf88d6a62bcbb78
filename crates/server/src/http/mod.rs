//! Between the network and the handlers: who calls, what is refused, how errors look.

mod caller;
mod client_address;
mod connections;
pub mod cookies;
mod error;
mod idempotency;
mod router;

pub use caller::{ApiCaller, Browser, Credential, Form, VisitorLang};
pub use client_address::ClientAddress;
pub use connections::serve;
pub use error::{Place, Problem};
pub use idempotency::HoldsSecret;
pub use router::{Routes, router};
