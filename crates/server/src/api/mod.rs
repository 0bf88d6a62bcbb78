//! The JSON API.

pub mod v1;

pub(crate) use v1::error_file;
pub use v1::{document, router};
