//! Roadstead's server. *Handlers translate, flows decide, store remembers, domain knows.*
//!
//! [`http`] and [`api`] and [`portal`] are the handlers, [`flows`] the use cases, [`jobs`] the background work,
//! [`drop_folder`] the way in for files and [`events`] what live pages hear. [`app::App`] is what they share.

pub mod api;
pub mod app;
pub mod cli;
pub mod demo;
pub mod device;
pub mod drop_folder;
pub mod events;
pub mod flows;
pub mod http;
pub mod i18n;
pub mod jobs;
pub mod mail;
pub mod paces;
pub mod pools;
pub mod portal;
pub mod spool;
pub mod together;
pub mod webhooks;
