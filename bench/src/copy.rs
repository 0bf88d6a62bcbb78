//! Rows into PostgreSQL by COPY in its binary form, made before the clock runs.

use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::engine::Engine;
use crate::floor::{CHUNK, Floor, Maker, Row, Taken};

/// The tables of a line with their columns, in the order in which [`Tables::add`] writes them.
const DEVICES: &str = "devices (id, serial, manufacturer, product_number, model, created_at)";
const REST: [&str; 4] = [
    "placements (device, tenant, generation, serial, search, since, report, line)",
    "placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, report, line, at, hash)",
    "entitlements (device, support_level, starts_on, ends_on, assumed, report, line)",
    "report_lines (report, line, file_row, transaction_kind, sold_on, shipped_on, seller, buyer, buyer_name, country, \
     product_number, model, support_level, manufacturer, serial, invoice, supersedes, received, verdict, reasons, \
     pool, waits_for, judged_at)",
];

/// Rows of one table as `COPY ... (FORMAT binary)` takes them.
struct Buffer(Vec<u8>);

impl Buffer {
    fn new() -> Self {
        let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
        bytes.extend([0; 8]);
        Self(bytes)
    }

    fn row(&mut self, columns: i16) -> &mut Self {
        self.0.extend(columns.to_be_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        // No cell of ours comes near two gigabytes.
        self.0.extend((bytes.len() as i32).to_be_bytes());
        self.0.extend(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn id(&mut self, id: Uuid) -> &mut Self {
        self.bytes(id.as_bytes())
    }

    fn int(&mut self, number: i64) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }

    fn null(&mut self) -> &mut Self {
        self.0.extend((-1_i32).to_be_bytes());
        self
    }
}

/// A buffer a table.
struct Tables {
    devices: Buffer,
    rest: [Buffer; 4],
}

impl Tables {
    fn of(rows: &[Row], maker: &Maker, floor: Floor) -> Self {
        let mut tables = Self { devices: Buffer::new(), rest: std::array::from_fn(|_| Buffer::new()) };
        for row in rows {
            tables.add(row, maker, floor);
        }
        tables
    }

    fn add(&mut self, row: &Row, maker: &Maker, floor: Floor) {
        let Row { sale, device, line, at, .. } = row;
        let device = *device;
        let to = self.devices.row(6).id(device).text(&sale.serial).text("");
        to.text(sale.product_number).text(sale.model).int(*at);
        if floor == Floor::OneTable {
            return;
        }
        let report = maker.report;
        let (partner, holding) = (maker.partners[sale.seller], maker.holdings[sale.seller]);
        let [placements, log, entitlements, lines] = &mut self.rest;
        placements.row(8).id(device).id(holding).int(1).text(&sale.serial).text(&row.search);
        placements.int(*at).id(report).int(*line);
        log.row(11).id(partner).int(row.seq).id(device).text(&sale.serial).null().id(holding).int(1);
        log.id(report).int(*line).int(*at).bytes(&row.hash);
        if let Some(level) = sale.level {
            entitlements.row(7).id(device).text(level.code()).text(&sale.sold_on).text(&sale.ends_on);
            entitlements.bytes(&[1]).id(report).int(*line);
        }
        lines.row(23).id(report).int(*line).int(line + 1).text("sale").text(&sale.sold_on).null();
        lines.text(&sale.seller_number).text(&sale.buyer).text(sale.buyer_name).text(sale.country);
        lines.text(sale.product_number).text(sale.model);
        match sale.level {
            Some(level) => lines.text(level.code()),
            None => lines.null(),
        };
        lines.text("").text(&sale.serial).text(&sale.invoice).text("").null().text("placed").null();
        lines.id(partner).null().int(*at);
    }
}

/// Copies the lines of these numbers, in one transaction.
pub async fn run(
    floor: Floor,
    engine: &Engine,
    client: Client,
    maker: &mut Maker,
    numbers: Range<u64>,
) -> anyhow::Result<Taken> {
    let (mut seconds, mut cpu_ms) = (0.0, 0.0);
    client.batch_execute("BEGIN").await?;
    let mut from = numbers.start;
    while from < numbers.end {
        let to = numbers.end.min(from + CHUNK);
        let tables = Tables::of(&maker.rows(from..to)?, maker, floor);
        let (start, cpu) = (Instant::now(), engine.cpu_ms()?);
        copy(&client, DEVICES, tables.devices).await?;
        if floor == Floor::SameTables {
            for (table, rows) in REST.iter().zip(tables.rest) {
                copy(&client, table, rows).await?;
            }
        }
        if to == numbers.end {
            client.batch_execute("COMMIT").await?;
        }
        seconds += start.elapsed().as_secs_f64();
        cpu_ms += engine.cpu_ms()? - cpu;
        from = to;
    }
    Ok(Taken { seconds, cpu_ms })
}

async fn copy(client: &Client, table: &str, mut rows: Buffer) -> anyhow::Result<()> {
    rows.0.extend((-1_i16).to_be_bytes());
    let sink = client.copy_in(&format!("COPY {table} FROM STDIN (FORMAT binary)")).await?;
    let mut sink = std::pin::pin!(sink);
    sink.as_mut().send(Bytes::from(rows.0)).await?;
    sink.finish().await?;
    Ok(())
}
