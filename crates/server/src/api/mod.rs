//! The JSON API.

pub mod v1;

pub use v1::{document, router};
