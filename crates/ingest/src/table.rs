//! Small tables that somebody pastes or uploads: people, partners, serials with their targets. The first row names the
//! columns, in any order; commas, semicolons or tabs part them, as spreadsheets write them.

use thiserror::Error;

use crate::folded_header;

/// A column that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What our own code and errors call it.
    pub name: &'static str,
    /// The headers that stand for it, folded ([`folded_header`]).
    pub headers: &'static [&'static str],
    /// Whether a table without it is refused.
    pub required: bool,
}

impl Column {
    /// A column without which a table is refused.
    pub const fn required(name: &'static str, headers: &'static [&'static str]) -> Self {
        Self { name, headers, required: true }
    }

    /// A column that a table may leave out.
    pub const fn optional(name: &'static str, headers: &'static [&'static str]) -> Self {
        Self { name, headers, required: false }
    }
}

/// A row that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// Its number in the text, 1 for the header.
    pub row: u64,
    /// A trimmed cell for each column that was looked for, empty where the row or the table has none.
    pub cells: Vec<String>,
}

/// Why a table is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TableError {
    /// It is no delimited text.
    #[error("no table can be read from it")]
    Unreadable,
    /// A required column is not there.
    #[error("the column {0} is missing")]
    ColumnMissing(&'static str),
    /// Two headers stand for the same column.
    #[error("the column {0} is there twice")]
    ColumnTwice(&'static str),
    /// Nothing stands below the header.
    #[error("no row stands below the header")]
    Empty,
    /// More rows than are taken at once.
    #[error("there are too many rows")]
    TooManyRows,
}

/// Reads at most `most` rows.
pub fn read_table(text: &str, columns: &[Column], most: usize) -> Result<Vec<TableRow>, TableError> {
    let text = text.trim_start_matches('\u{feff}');
    let head = text.lines().next().unwrap_or_default();
    // The last of equals wins: a comma, where the header has one column.
    let delimiter =
        [b';', b'\t', b','].into_iter().max_by_key(|mark| head.bytes().filter(|b| b == mark).count());
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or(b','))
        .flexible(true)
        .trim(::csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|_| TableError::Unreadable)?.clone();
    let mut places = vec![None; columns.len()];
    for (at, header) in headers.iter().enumerate() {
        let folded = folded_header(header);
        let column = columns.iter().position(|column| column.headers.contains(&folded.as_str()));
        if let Some(column) = column
            && places[column].replace(at).is_some()
        {
            return Err(TableError::ColumnTwice(columns[column].name));
        }
    }
    if let Some((column, _)) =
        columns.iter().zip(&places).find(|(column, at)| column.required && at.is_none())
    {
        return Err(TableError::ColumnMissing(column.name));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| TableError::Unreadable)?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        if rows.len() == most {
            return Err(TableError::TooManyRows);
        }
        let cell = |at: &Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default().to_owned();
        let row = record.position().map_or(0, |at| row_at(text, at.byte()));
        rows.push(TableRow { row, cells: places.iter().map(cell).collect() });
    }
    if rows.is_empty() {
        return Err(TableError::Empty);
    }
    Ok(rows)
}

/// The row of a text in which this byte stands, 1 for the first. The reader's own count is one behind where lines end as
/// on Windows.
fn row_at(text: &str, byte: u64) -> u64 {
    let begin = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    let ends = text.bytes().skip(begin).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    text.bytes().take(begin + ends).filter(|byte| *byte == b'\n').count() as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] =
        [Column::required("email", &["email", "emailadresse"]), Column::optional("name", &["name"])];

    fn read(text: &str) -> Result<Vec<(u64, String, String)>, TableError> {
        let rows = read_table(text, &COLUMNS, 3)?;
        Ok(rows.into_iter().map(|row| (row.row, row.cells[0].clone(), row.cells[1].clone())).collect())
    }

    #[test]
    fn a_table_is_read_as_spreadsheets_write_it() {
        for text in [
            "E-Mail,Name\n\"a@b.de\",\"Beispiel, Anna\"\n\n",
            "\u{feff}Name;Phone;E-Mail-Adresse\r\n\r\n Beispiel, Anna ;1;a@b.de\r\n;;\r\n",
            "email\tname\na@b.de\tBeispiel, Anna",
        ] {
            let row = if text.contains("\r\n\r\n") { 3 } else { 2 };
            assert_eq!(
                read(text),
                Ok(vec![(row, "a@b.de".to_owned(), "Beispiel, Anna".to_owned())]),
                "{text}"
            );
        }
        assert_eq!(
            read("email\na@b.de").map(|rows| rows[0].2.clone()),
            Ok(String::new()),
            "no column, no cell"
        );
    }

    #[test]
    fn a_table_that_cannot_be_taken_is_refused_whole() {
        for (text, error) in [
            ("", TableError::ColumnMissing("email")),
            ("name\nAnna", TableError::ColumnMissing("email")),
            ("email,E-Mail\na,b", TableError::ColumnTwice("email")),
            ("email\n\n , \n", TableError::Empty),
            ("email\n1\n2\n3\n4", TableError::TooManyRows),
        ] {
            assert_eq!(read(text), Err(error), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_written_is_read(rows in proptest::collection::vec(("[a-z@.]{1,9}", "[a-zA-Z ,;\"äß]{0,9}"), 1..4)) {
            let mut writer = ::csv::Writer::from_writer(Vec::new());
            writer.write_record(["email", "name"]).unwrap();
            for (email, name) in &rows {
                writer.write_record([email, name]).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let wanted: Vec<_> = rows
                .iter()
                .zip(2..)
                .map(|((email, name), row)| (row, email.clone(), name.trim().to_owned()))
                .collect();
            proptest::prop_assert_eq!(read(&text), Ok(wanted));
        }
    }
}
