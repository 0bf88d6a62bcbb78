//! What waited for a partner is judged again: when it becomes known, when it is certified, when it renews.

use roadstead_domain::access;
use roadstead_domain::ids::{JobId, TenantId};
use roadstead_domain::partner::is_qualified;
use roadstead_store::reports::Counts;
use roadstead_store::{entitlements, jobs, lines, partners};

use super::certify::open_pool;
use super::judge_batch::{Item, judge_batch};
use crate::app::App;
use crate::jobs::{LEASE_SECONDS, Stopping};

/// Judges every line that waits for this partner, in the order in which they came.
pub async fn run(app: &App, partner: TenantId, job: JobId) -> anyhow::Result<()> {
    let scope = access::system();
    let mut tx = app.store.write(&scope).await?;
    let Some(found) = partners::find(&mut tx, &scope, &partner.to_string()).await? else { return Ok(()) };
    let recorded = partners::qualifications(&mut tx, &scope, &[partner]).await?;
    let today = app.ambient.now().date();
    if is_qualified(recorded.iter().map(|recorded| &recorded.qualification), today) {
        open_pool(app, &mut tx, &scope, partner).await?;
    }
    let levels = entitlements::level_names(&mut tx, &scope).await?;
    tx.commit().await?;

    let number = partners::number_key(&found.number);
    let batch = i64::try_from(app.config.batch_lines).unwrap_or(i64::MAX);
    let mut after = None;
    loop {
        if app.closing.is_cancelled() {
            return Err(Stopping.into());
        }
        let mut tx = app.store.write(&scope).await?;
        let now = app.ambient.now();
        tx.lock_placements().await?;
        let mut waiting = lines::waiting_for(&mut tx, &scope, &number, after, batch).await?;
        let Some(last) = waiting.last() else { break };
        after = Some(last.at);
        for waiting in &mut waiting {
            // The terms of today: that is when the PC gets its entitlement.
            let sold = waiting.level_text.as_deref().and_then(|text| levels.read(text));
            waiting.line.months = sold.and_then(|sold| sold.months);
        }
        let items: Vec<Item<'_>> = waiting
            .iter()
            .map(|waiting| Item {
                at: waiting.at,
                reporter: waiting.reporter,
                line: &waiting.line,
                product_number: &waiting.product_number,
                model: &waiting.model,
                buyer_name: &waiting.buyer_name,
                order: &waiting.order,
                replay: true,
            })
            .collect();
        let judged = judge_batch(app, &mut tx, &scope, &items, None, now).await?;
        let mut counts = Counts::default();
        for (waiting, outcome) in waiting.iter().zip(&judged.outcomes) {
            // Where it was counted before: a seller that was not known had no page yet.
            let was_about =
                (waiting.verdict != roadstead_domain::sale::Verdict::UnknownSeller).then_some(partner);
            counts.add(waiting.at.report, was_about, waiting.verdict, -1);
            counts.add(waiting.at.report, outcome.about, outcome.verdict, 1);
            let waits_for = outcome.waits_for.as_deref();
            lines::rejudge(
                &mut tx,
                &scope,
                waiting.at,
                outcome.verdict,
                &outcome.reasons,
                outcome.pool,
                waits_for,
                now,
            )
            .await?;
        }
        counts.write(&mut tx, &scope, true).await?;
        for parked in judged.withdrawn {
            lines::withdraw(&mut tx, &scope, parked).await?;
        }
        jobs::renew(&mut tx, job, app.ambient.now().plus_seconds(LEASE_SECONDS)).await?;
        tx.commit().await?;
        app.hub.wake();
    }
    Ok(())
}
