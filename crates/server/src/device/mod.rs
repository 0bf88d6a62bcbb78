//! `/device/v1`: what agents on PCs call, each request signed by the PC's own key. One file a resource.

mod check_ins;
mod enrolments;
mod events;
mod pop_ups;
mod repair_cases;
mod signed;

use crate::http::Routes;

/// Every route.
pub fn routes() -> Routes {
    Routes::new()
        .post("/device/v1/enrolments", enrolments::enrol)
        .post("/device/v1/check-ins", check_ins::check_in)
        .get("/device/v1/events", events::follow)
        .get("/device/v1/pop-ups/{id}", pop_ups::show)
        .post("/device/v1/pop-ups/{id}/displayed", pop_ups::displayed)
        .post("/device/v1/pop-ups/{id}/viewed", pop_ups::viewed)
        .post("/device/v1/pop-ups/{id}/dismissed", pop_ups::dismissed)
        .post("/device/v1/repair-cases", repair_cases::submit)
        .get("/device/v1/repair-cases/{id}", repair_cases::show)
        .post("/device/v1/repair-cases/{id}/cancel", repair_cases::cancel)
        .post("/device/v1/repair-cases/{id}/answer", repair_cases::answer)
}
