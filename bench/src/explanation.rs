//! Why a PC is where it is: one serial explained to a partner whose PC it is, to one whose it is not, and one that nobody
//! knows.

use std::time::Duration;

use anyhow::ensure;
use serde_json::Value;

use crate::Options;
use crate::asked::PARTNER;
use crate::engine::Engine;
use crate::generator;
use crate::http::{Client, Credential, text_at};
use crate::load::{self, Slices, Target};
use crate::machine::{idle_share, percentile, settle};
use crate::object;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::Platform;

/// Report lines that the bound is about on either engine.
pub const FULL_SQLITE: u64 = 1_000_000;
pub const FULL_POSTGRES: u64 = 10_000_000;
/// From how many connections at a time.
const CONNECTIONS: [usize; 2] = [1, 16];
/// 99 of 100 answers are there within this.
const P99_MS: f64 = 100.0;
/// A partner that has none of the first one's PCs.
const STRANGER: usize = 1;
/// Numbers from here on belong to lines that no bench reports.
const UNREPORTED: u64 = 1 << 34;

/// Asks about the serials of the first partner on a platform with `lines` report lines.
pub async fn run(
    options: &Options,
    engine: &Engine,
    platform: &Platform,
    (lines, full): (u64, u64),
    serials: &[String],
) -> anyhow::Result<Workload> {
    ensure!(!serials.is_empty(), "the partner has no PC to ask about");
    let unknown: Vec<String> =
        (0..serials.len() as u64).map(|at| generator::serial(UNREPORTED + at)).collect();
    let kinds = [("own", PARTNER, serials), ("foreign", STRANGER, serials), ("unknown", PARTNER, &unknown)];
    let mut targets = Vec::new();
    let mut alike = Vec::new();
    for (name, partner, serials) in kinds {
        let token = platform.partner_token(partner)?;
        let mut client = Client::connect(platform.process.address, &token).await?;
        let mut paths = Vec::with_capacity(serials.len());
        for serial in serials {
            let path = format!("/api/v1/serials/{serial}/explanation");
            let bytes = client.get_bytes(&path).await?;
            let said: Value = serde_json::from_slice(&bytes)?;
            ensure!(text_at(&said, "/serial_number")? == serial, "asked about {serial}: {said}");
            let there = text_at(&said, "/verdict")?.ends_with("there");
            ensure!(there == (name == "own"), "{name} {serial} is explained by {said}");
            paths.push((path, bytes.len() as u64));
            if name != "own" && alike.len() < 2 && !alike.iter().any(|(known, _)| *known == name) {
                alike.push((name, std::str::from_utf8(&bytes)?.replace(serial, "")));
            }
        }
        let credential = Credential::token(&token);
        targets.push((name, Target { address: platform.process.address, paths, credential }));
    }
    ensure!(alike[0].1 == alike[1].1, "foreign and unknown are told apart: {alike:?}");
    settle().await?;
    let idle = idle_share().await?;
    let (mut rows, mut bounds) = (Vec::new(), Vec::new());
    for (name, target) in &targets {
        for connections in CONNECTIONS {
            let mut slices = Slices::default();
            let cpu = platform.cpu_ms()?;
            let length = Duration::from_secs_f64(options.seconds);
            for _ in 0..options.rounds {
                slices.slices.push(load::ask(target, connections, length).await?);
            }
            slices.cpu_ms += platform.cpu_ms()? - cpu;
            let place = object! { "serial" => name, "connections" => connections };
            rows.push(slices.row("product", &place, Some(target.bytes())));
            let mut millis: Vec<f64> = slices.slices.iter().flat_map(|slice| slice.millis.clone()).collect();
            millis.sort_unstable_by(f64::total_cmp);
            let p99 = percentile(&millis, 0.99);
            bounds.push(Bound {
                demand: format!("ms, {name} serial, {connections} connections, p99 under {P99_MS}"),
                measured: p99,
                outcome: Outcome::of(p99 < P99_MS, lines >= full),
            });
        }
    }
    let facts = object! {
        "engine" => engine.settings(), "report_lines" => lines, "asked_about" => serials.len(),
        "idle_before" => figure(idle),
        "how" => "GET /api/v1/serials/{serial}/explanation with a partner's token: its own PCs, the same asked for by \
                  another partner, and serials that nobody knows",
        "slices" => format!("{} of {} s each", options.rounds, options.seconds),
        "checked" => "every answer's verdict once, its status and length each time; foreign and unknown read alike",
    };
    Ok(Workload {
        id: "explanation",
        facts,
        tables: vec![Table { title: "explanations per second", rows }],
        bounds,
    })
}
