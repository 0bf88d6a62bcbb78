//! The rejected lines of a report as a file: what, where, what to do, and the cells as received, to be mended and sent
//! again.

use roadstead_domain::access::Scope;
use roadstead_domain::ids::ReportId;
use roadstead_domain::sale::{Field, Reason};
use roadstead_ingest::usual_header;
use roadstead_store::lines;
use roadstead_store::page::Page;

use super::csv::{self, Part};
use super::sell_through_reports::reasons;
use crate::app::App;
use crate::http::Problem;
use crate::i18n::Lang;

/// Lines read at a time: each may hold cells of up to 64 KiB.
const AT_ONCE: i64 = 100;

/// The first row.
pub(crate) fn head() -> Vec<u8> {
    let mut head =
        vec!["Rejected Row", "Rejected Line", "Reason Code", "Reason Field", "Reason", "What To Do"];
    head.extend(Field::ALL.iter().map(|field| usual_header(*field)));
    csv::row(head)
}

/// Where to begin.
pub(crate) fn start() -> Page {
    Page { limit: Some(AT_ONCE), cursor: None }
}

/// The next rows, and where to go on.
pub(crate) async fn rows(
    app: &App,
    scope: &Scope,
    report: ReportId,
    lang: Lang,
    page: &Page,
) -> Result<Part<Page>, Problem> {
    let mut tx = app.store.read(scope).await?;
    let found = lines::list(&mut tx, scope, report, Some("rejected"), lines::Cells::With, page).await?;
    let found = found.ok_or_else(Problem::cursor)?;
    let mut text = Vec::new();
    for line in found.items {
        let cells = line.cells()?;
        let reasons = reasons(&line)?;
        let join = |part: &dyn Fn(&Reason) -> String| {
            let parts: Vec<String> = reasons.iter().map(part).filter(|text| !text.is_empty()).collect();
            parts.join(" | ")
        };
        let mut row = vec![
            line.file_row.to_string(),
            line.line.to_string(),
            join(&|reason| reason.code.clone()),
            join(&|reason| reason.field.map_or("", usual_header).to_owned()),
            join(&|reason| lang.code_text(&reason.code)),
            join(&|reason| lang.code_advice(&reason.code)),
        ];
        row.extend(Field::ALL.iter().map(|field| cells.get(field.as_str()).cloned().unwrap_or_default()));
        text.extend(csv::row(row.iter().map(String::as_str)));
    }
    let next = found.next_cursor.map(|cursor| Page { limit: Some(AT_ONCE), cursor: Some(cursor) });
    Ok((text, next))
}
