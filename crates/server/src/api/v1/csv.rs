//! CSV answers, a page at a time, so that a million rows need no memory; and tables that are sent.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::http::Problem;

/// A cell that no spreadsheet takes for a formula. A number stays one, so that a file can be sent again.
pub(super) fn cell(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if risky && text.parse::<f64>().is_err() { format!("'{text}") } else { text.to_owned() }
}

/// One row.
pub(super) fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    // Writing to memory does not fail.
    let _ = writer.write_record(&cells);
    writer.into_inner().unwrap_or_default()
}

/// The next rows and where to go on; no place to go on at the end.
pub(super) type Part<S> = (Vec<u8>, Option<S>);

/// Streams a file: a byte order mark for spreadsheets, the head, then what `next` gives until it ends.
pub(super) async fn stream<S, F>(
    file_name: &str,
    head: Vec<u8>,
    start: S,
    mut next: impl FnMut(S) -> F + Send + 'static,
) -> Result<Response, Problem>
where
    S: Send + 'static,
    F: Future<Output = Result<Part<S>, Problem>> + Send + 'static,
{
    // The first part is made before the answer begins, so that a refusal is still one.
    let (first, state) = next(start).await?;
    let opening = [b"\xef\xbb\xbf".as_slice(), &head, &first].concat();
    let rest = stream::unfold((state, next), |(state, mut next)| async move {
        match next(state?).await {
            Ok((rows, state)) => Some((Ok(Bytes::from(rows)), (state, next))),
            // A broken stream shows as a broken download, not as a short file.
            Err(problem) => Some((Err(std::io::Error::other(problem.code)), (None, next))),
        }
    });
    let body =
        futures_util::StreamExt::chain(stream::iter([Ok::<_, std::io::Error>(Bytes::from(opening))]), rest);
    let disposition = format!("attachment; filename=\"{file_name}\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// The table of a request whose body is one, in UTF-8 and under its own type.
pub(super) fn table<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<&'a str, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !kind.to_ascii_lowercase().starts_with("text/csv") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type.unsupported"));
    }
    std::str::from_utf8(body).map_err(|_| Problem::field("file.unreadable", "table"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+49 30", "'+49 30"),
            ("-cmd", "'-cmd"),
            ("\t=1", "'\t=1"),
            ("-1", "-1"),
            ("5CG1234ABC", "5CG1234ABC"),
        ] {
            assert_eq!(cell(text), expected);
        }
        assert_eq!(row(["a,b", "=x"]), b"\"a,b\",'=x\n");
    }
}
