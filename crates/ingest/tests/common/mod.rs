//! What the tests share: files on disk and all lines of one.

#![allow(dead_code, reason = "not every test file needs each helper")]

pub(crate) mod messages;

use std::io::{Cursor, Write};
use std::ops::ControlFlow;

use roadstead_domain::sale::ReceivedLine;
use roadstead_ingest::{EdiMaps, FileError, Format, Layout, Limits, inspect, read};
use zip::write::{SimpleFileOptions, ZipWriter};

pub(crate) const HEADER: &str = "Date,Reseller,SKU,Serial,Qty";

pub(crate) fn inspected(format: Format, bytes: &[u8], limits: &Limits) -> Result<Layout, FileError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    inspect(format, file.path(), limits, &EdiMaps::default())
}

/// Inspects and reads; the lines must be as many as inspecting counted.
pub(crate) fn lines(format: Format, bytes: &[u8], limits: &Limits) -> Result<Vec<ReceivedLine>, FileError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let maps = EdiMaps::default();
    let layout = inspect(format, file.path(), limits, &maps)?;
    let mut lines = Vec::new();
    read(file.path(), &layout, limits, &maps, &mut |line| {
        lines.push(line);
        ControlFlow::Continue(())
    })?;
    assert_eq!(lines.len() as u64, layout.lines);
    assert!(lines.iter().zip(1..).all(|(line, number)| line.line == number));
    Ok(lines)
}

/// A ZIP archive of these parts.
pub(crate) fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook of one sheet, of which these are the rows, with shared strings and formats as given.
pub(crate) fn workbook(rows: &str, strings: &str, formats: &[&str]) -> Vec<u8> {
    let codes: String = formats
        .iter()
        .enumerate()
        .map(|(n, code)| format!(r#"<numFmt numFmtId="{}" formatCode="{code}"/>"#, 200 + n))
        .collect();
    let styles: String = (0..formats.len()).map(|n| format!(r#"<xf numFmtId="{}"/>"#, 200 + n)).collect();
    archive(&[
        (
            "_rels/.rels",
            r#"<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<workbook><workbookPr/><sheets><sheet name="S" sheetId="1" r:id="s1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships><Relationship Id="s1" Type="x/worksheet" Target="worksheets/s.xml"/><Relationship Id="s2" Type="x/styles" Target="/xl/styles.xml"/><Relationship Id="s3" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#,
        ),
        (
            "xl/styles.xml",
            &format!(
                r#"<styleSheet><numFmts>{codes}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>{styles}</cellXfs></styleSheet>"#
            ),
        ),
        ("xl/sharedStrings.xml", &format!("<sst>{strings}</sst>")),
        ("xl/worksheets/s.xml", &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")),
    ])
}

/// A row of inline strings.
pub(crate) fn text_row(cells: &[&str]) -> String {
    let cells: String =
        cells.iter().map(|text| format!(r#"<c t="inlineStr"><is><t>{text}</t></is></c>"#)).collect();
    format!("<row>{cells}</row>")
}
