//! Files that would fill the memory if anybody held them: refused by the real server, whose memory stays as it was.

use std::time::Duration;

use futures_util::stream;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::messages::{EDIFACT, X12, edifact, x12};
use crate::resume::{free_port, serve, token};

const MIB: usize = 1 << 20;
/// A quarter of the largest upload.
const SIZE: usize = 256;

/// The most memory that the process had at any time, in MiB.
fn peak(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

#[tokio::test]
async fn a_file_of_one_segment_or_one_cell_is_refused_with_flat_memory() {
    let directory = TempDir::new().unwrap();
    let data = ["--data", directory.path().to_str().unwrap()];
    let port = free_port();
    let server = serve(&data, port).await;
    let operator = token(&data, "operator", &[]);
    let url = format!("http://127.0.0.1:{port}/api/v1");
    let http = reqwest::Client::builder().timeout(Duration::from_secs(120)).build().unwrap();
    let body = json!({ "name": "D", "reporter_number": "D-1", "kind": "distributor" });
    let added =
        http.post(format!("{url}/reporters")).bearer_auth(&operator).json(&body).send().await.unwrap();
    assert_eq!(added.status().as_u16(), 201);

    let (message, other) = (x12("D-1", &[("5CG000000A", "R-1")]), edifact("D-1", &[("5CG000000A", "R-1")]));
    let table = "Transaction Date,Reseller ID,Product Number,Serial Number,Quantity\n2026-11-18,R-1,\"";
    let before = peak(server.id());
    for (kind, head) in [(X12, &message[..200]), (EDIFACT, &other[..150]), ("text/csv", table)] {
        let piece = vec![b'x'; MIB];
        let first = Ok::<_, std::io::Error>(head.as_bytes().to_vec());
        let rest = (0..SIZE).map(move |_| Ok(piece.clone()));
        let body = reqwest::Body::wrap_stream(stream::iter(std::iter::once(first).chain(rest)));
        let request = http.post(format!("{url}/sell-through-reports?reporter=D-1")).bearer_auth(&operator);
        let answer = request.header("content-type", kind).body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 413, "{kind}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "file.too_large", "{kind}: {problem}");
        assert!(problem["errors"][0]["row"].is_u64(), "{kind}: {problem}");
    }
    let grown = peak(server.id()) - before;
    assert!(grown < 48, "the server took {grown} MiB for files of {SIZE} MiB");
}
