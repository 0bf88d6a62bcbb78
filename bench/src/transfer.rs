//! A transfer of 1,000 PCs to a customer's tenant and back, as W9 asks for it: by the product (preview and commit), and
//! as one transaction of PostgreSQL that copies the serials, moves the placements and writes a row of the log each.

use std::time::Instant;

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures_util::SinkExt;
use serde_json::json;
use tokio_postgres::Client as Database;
use uuid::Uuid;

use crate::asked::PARTNER;
use crate::floor;
use crate::http::{Client, text_at};
use crate::server::Platform;

/// PCs of a transfer.
pub const PCS: usize = 1_000;

/// Seconds and milliseconds of processor of one transfer there and one back.
pub type Taken = (f64, f64);

/// A customer tenant that the partner runs, made by the product.
pub async fn customer(client: &mut Client) -> anyhow::Result<Uuid> {
    let new = json!({
        "name": "Bench Customer", "address": "1 Quay", "city": "Port", "postal_code": "1000", "country": "GB",
        "plan": "premium_plus", "management": "partner",
    });
    let created = client.post("/api/v1/customers", &new).await?;
    Ok(text_at(&created, "/id")?.parse()?)
}

/// By the product.
pub async fn product(
    platform: &Platform,
    client: &mut Client,
    serials: &[String],
    customer: Uuid,
) -> anyhow::Result<Taken> {
    let (start, cpu) = (Instant::now(), platform.cpu_ms()?);
    for to in [customer.to_string(), "unassigned".to_owned()] {
        let items: Vec<_> = serials.iter().map(|serial| json!({ "serial": serial, "to": to })).collect();
        let preview = client.post("/api/v1/transfers", &json!({ "items": items })).await?;
        let (id, digest) = (text_at(&preview, "/id")?, text_at(&preview, "/digest")?);
        let done =
            client.post(&format!("/api/v1/transfers/{id}/commit"), &json!({ "digest": digest })).await?;
        ensure!(
            done["state"] == "committed" && done["moved"] == serials.len(),
            "the transfer came to {done}"
        );
    }
    Ok((start.elapsed().as_secs_f64(), platform.cpu_ms()? - cpu))
}

/// By PostgreSQL alone.
pub async fn alone(
    platform: &Platform,
    client: &Database,
    serials: &[String],
    (pool, customer): (Uuid, Uuid),
) -> anyhow::Result<Taken> {
    let text = serials.join("\n") + "\n";
    client.batch_execute("SET enable_seqscan = off; SET jit = off").await?;
    let (start, cpu) = (Instant::now(), platform.cpu_ms()?);
    for (from, to) in [(pool, customer), (customer, pool)] {
        client.batch_execute("BEGIN; CREATE TEMP TABLE moved (serial text) ON COMMIT DROP").await?;
        let sink = client.copy_in("COPY moved FROM STDIN").await?;
        let mut sink = std::pin::pin!(sink);
        sink.as_mut().send(Bytes::from(text.clone())).await?;
        sink.finish().await?;
        // Nobody has this log; the product's own stay whole.
        let log = floor::id(9, start.elapsed().as_nanos() as u64 ^ u64::from(std::process::id()) << 32);
        let sql = format!(
            "WITH now AS (UPDATE placements p SET tenant = '{to}', generation = p.generation + 1, since = 1795000000000001 \
             FROM moved m JOIN devices d ON d.serial = m.serial WHERE p.device = d.id AND p.tenant = '{from}' \
             RETURNING p.device, p.serial, p.generation) \
             INSERT INTO placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, at, hash) \
             SELECT '{log}', row_number() OVER (), device, serial, '{from}', '{to}', generation, 1795000000000001, \
             '\\x00'::bytea FROM now"
        );
        let moved = client.execute(&sql, &[]).await.context("the floor's transfer")?;
        ensure!(moved == serials.len() as u64, "the floor moved {moved} PCs");
        client.batch_execute("COMMIT").await?;
    }
    Ok((start.elapsed().as_secs_f64(), platform.cpu_ms()? - cpu))
}

/// The connection of the partner that moves.
pub async fn partner(platform: &Platform) -> anyhow::Result<Client> {
    platform.partner(PARTNER).await
}
