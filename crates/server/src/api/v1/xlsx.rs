//! XLSX answers: written row by row to a file of the spool, then sent from it, so that they need little memory.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_xlsxwriter::{Format, Workbook};
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;

use crate::app::App;
use crate::http::Problem;

/// Rows of a sheet (ECMA-376 knows 1,048,576) without the head.
const MOST: u32 = 1_048_575;

/// The next rows and where to go on; no place to go on at the end.
pub(super) type Part<S> = (Vec<Vec<String>>, Option<S>);

/// Sends a workbook of one sheet: the head, then what `next` gives until it ends. Every cell is a text, which no
/// spreadsheet takes for a formula.
pub(super) async fn stream<S, F>(
    app: &App,
    file_name: &str,
    head: &'static [&'static str],
    start: S,
    mut next: impl FnMut(S) -> F + Send + 'static,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<Part<S>, Problem>> + Send + 'static,
{
    let internal = |error: &dyn std::fmt::Display| {
        tracing::error!("an export: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    };
    tokio::fs::create_dir_all(&app.spool).await.map_err(|error| internal(&error))?;
    let file = tempfile::Builder::new()
        .prefix("export-")
        .suffix(".xlsx")
        .tempfile_in(&app.spool)
        .map_err(|error| internal(&error))?;
    let (sender, rows) = mpsc::channel(4);
    let writing = {
        let target = file.reopen().map_err(|error| internal(&error))?;
        let spool = app.spool.clone();
        tokio::task::spawn_blocking(move || write(target, &spool, head, rows))
    };
    let (mut state, mut sent) = (Some(start), 0_usize);
    while let Some(at) = state {
        let (rows, following) = next(at).await?;
        sent += rows.len();
        if sent > MOST as usize {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "export.too_many"));
        }
        state = following;
        // The writer is gone only when it failed, which it says itself.
        if sender.send(rows).await.is_err() {
            break;
        }
    }
    drop(sender);
    writing.await.map_err(|error| internal(&error))?.map_err(|error| internal(&error))?;
    // The name goes away; what is open is read to its end.
    let open = tokio::fs::File::from_std(file.into_file());
    let headers = [
        (
            header::CONTENT_TYPE,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file_name}\"")),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(open))).into_response())
}

fn write(
    target: std::fs::File,
    spool: &std::path::Path,
    head: &[&str],
    mut parts: mpsc::Receiver<Vec<Vec<String>>>,
) -> Result<(), rust_xlsxwriter::XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_tempdir(spool)?;
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    let bold = Format::new().set_bold();
    for (column, text) in (0..).zip(head) {
        sheet.set_column_width(column, 20)?;
        sheet.write_string_with_format(0, column, *text, &bold)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    let mut row = 0;
    while let Some(part) = parts.blocking_recv() {
        for cells in part {
            row += 1;
            for (column, text) in (0..).zip(cells) {
                // A cell of a spreadsheet holds 32,767 characters.
                let text: String =
                    if text.len() > 32_767 { text.chars().take(32_767).collect() } else { text };
                sheet.write_string(row, column, text)?;
            }
        }
    }
    workbook.save_to_writer(target)
}
