//! Roadstead's server: HTTP, flows, API, portal, jobs.
