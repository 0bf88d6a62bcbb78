//! Messages as libraries read them that are none of ours: pyx12 and pydifact, from PyPI. Runs where
//! ROADSTEAD_EDI_PYTHON names a Python that has both; `scripts/edi-python.sh` makes one, and `make test` uses it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::collections::BTreeMap;
use std::process::Command;

use common::{inspected, lines, messages};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use roadstead_domain::clock::Micros;
use roadstead_ingest::{Format, Limits};

/// Texts that all of them keep as they are: no blanks at either end, nothing empty.
const X12_TEXT: &str = "[A-Za-z0-9]([A-Za-z0-9 &/.,_-]{0,10}[A-Za-z0-9])?";
const EDIFACT_TEXT: &str = "[!-~ÄÖÜéß]([ -~ÄÖÜéß]{0,10}[!-~ÄÖÜéß])?";

#[test]
fn other_readers_read_the_same_and_take_our_answers() {
    let Some(python) = std::env::var_os("ROADSTEAD_EDI_PYTHON").filter(|python| !python.is_empty()) else {
        eprintln!("skipped: ROADSTEAD_EDI_PYTHON is not set");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let at = Micros(1_795_374_300_000_000);
    let mut runner = TestRunner::deterministic();
    let mut ours: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    let mut write = |name: String, format: Format, bytes: &[u8]| {
        let found = lines(format, bytes, &Limits::default()).unwrap();
        let answer = inspected(format, bytes, &Limits::default()).unwrap().acknowledgement.unwrap();
        let kind = if format == Format::X12 { "997" } else { "contrl" };
        std::fs::write(directory.path().join(&name), bytes).unwrap();
        std::fs::write(directory.path().join(format!("{name}.{kind}")), answer.render(at)).unwrap();
        ours.insert(name, found.iter().map(messages::found).collect());
    };
    for number in 0..60 {
        let sets = messages::sets(X12_TEXT).new_tree(&mut runner).unwrap().current();
        let delimiters = messages::x12_delimiters().new_tree(&mut runner).unwrap().current();
        write(format!("{number}.x12"), Format::X12, messages::x12(delimiters, &sets).as_bytes());
        let sets = messages::sets(EDIFACT_TEXT).new_tree(&mut runner).unwrap().current();
        let delimiters = messages::edifact_delimiters().new_tree(&mut runner).unwrap().current();
        write(format!("{number}.edi"), Format::Edifact, &messages::edifact(delimiters, &sets));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cross_check.py");
    let output = Command::new(python).arg(script).arg(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: BTreeMap<String, Vec<Vec<String>>> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(theirs.values().map(Vec::len).sum::<usize>() > 200);
    for (name, lines) in &ours {
        assert_eq!(lines, &theirs[name], "{name}");
    }
}
