//! Which serials are to go where: as files, forms and pasted lists say it.

use roadstead_domain::transfer::{Asked, MOST_ROWS};
use roadstead_ingest::{Column, TableError, read_table};

use crate::flows::Refused;

/// The columns of a file of serials with their targets.
const COLUMNS: [Column; 2] = [
    Column::required("serial", &["serial", "serialnumber", "seriennummer"]),
    Column::required("to", &["to", "customer", "customerid", "target", "kunde", "kundenid", "ziel"]),
];

/// Reads a file: the columns of serials and of targets by their names in English or German.
pub fn read_csv(bytes: &[u8]) -> Result<Vec<Asked>, Refused> {
    read_columns(&String::from_utf8_lossy(bytes)).map_err(refused_table)
}

/// Reads what a form brings: a table, if its first line names the columns of serials and of targets, else a list. `to` is
/// the target of rows that name none.
pub fn read_form(text: &str, to: &str) -> Result<Vec<Asked>, Refused> {
    match read_columns(text.trim_start_matches(['\u{feff}', '\r', '\n'])) {
        Ok(mut rows) => {
            for row in rows.iter_mut().filter(|row| row.to.is_empty()) {
                to.clone_into(&mut row.to);
            }
            Ok(rows)
        }
        Err(TableError::ColumnMissing(_)) => Ok(read_list(text, to)),
        Err(error) => Err(refused_table(error)),
    }
}

fn read_columns(text: &str) -> Result<Vec<Asked>, TableError> {
    let rows = match read_table(text, &COLUMNS, MOST_ROWS) {
        Err(TableError::Empty) => Vec::new(),
        rows => rows?,
    };
    let asked = rows.into_iter().filter_map(|row| <[String; 2]>::try_from(row.cells).ok());
    Ok(asked
        .map(|[serial, to]| Asked { serial, to })
        .filter(|row| !(row.serial.is_empty() && row.to.is_empty()))
        .collect())
}

fn refused_table(error: TableError) -> Refused {
    match error {
        TableError::ColumnMissing(column) => Refused::invalid("transfer.column_missing", column),
        TableError::TooManyRows => Refused::invalid("transfer.too_many_rows", "items"),
        error => Refused::table(error, "items"),
    }
}

/// Reads a pasted list: a serial a line, or serials with a target each after a tab, semicolon or comma; `to` is the
/// target of lines that name none. A first line of headers is no row.
fn read_list(text: &str, to: &str) -> Vec<Asked> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .enumerate()
        .filter_map(|(at, line)| {
            let (serial, target) = line.split_once(['\t', ';', ',']).unwrap_or((line, ""));
            let (serial, target) = (serial.trim().trim_matches('"'), target.trim().trim_matches('"'));
            let head: String = serial.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
            if at == 0 && matches!(head.as_str(), "serial" | "serialnumber" | "seriennummer") {
                return None;
            }
            let target = if target.is_empty() { to } else { target };
            Some(Asked { serial: serial.to_owned(), to: target.to_owned() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_people_paste_them() {
        let of = |text: &str, to: &str| -> Vec<(String, String)> {
            read_list(text, to).into_iter().map(|row| (row.serial, row.to)).collect()
        };
        let row = |serial: &str, to: &str| (serial.to_owned(), to.to_owned());
        assert_eq!(of("A12345\r\n\r\n B12345 \n", "C-1"), [row("A12345", "C-1"), row("B12345", "C-1")]);
        assert_eq!(
            of("Seriennummer;Kunden-ID\nA12345;C-2\nB12345\n", "C-1"),
            [row("A12345", "C-2"), row("B12345", "C-1")]
        );
        assert_eq!(of("\u{feff}\"A12345\",\"unassigned\"", ""), [row("A12345", "unassigned")]);
        assert_eq!(of("A12345\tC-3", ""), [row("A12345", "C-3")]);
        assert_eq!(of(" \n", "C-1"), []);
    }

    #[test]
    fn forms_by_their_headers_or_as_lists() {
        let row = |serial: &str, to: &str| (serial.to_owned(), to.to_owned());
        for (text, wanted) in [
            (
                "Row,Serial,To,Verdict,What to do\n7,A12345,C-2,blocked,\"Mend, please\"\n",
                row("A12345", "C-2"),
            ),
            ("\u{feff}\r\nZeile;Seriennummer;Ziel\r\n7;A12345;C-2\r\n", row("A12345", "C-2")),
            ("Kunden-ID;Seriennummer\nC-2;A12345\n", row("A12345", "C-2")),
            ("To\tSerial\n\tA12345\n", row("A12345", "C-1")),
            ("Serial\nA12345\n", row("A12345", "C-1")),
            ("Seriennummer;Mandant\nA12345;C-2\n", row("A12345", "C-2")),
            ("A12345\n", row("A12345", "C-1")),
        ] {
            let rows = read_form(text, "C-1").unwrap_or_default();
            let read: Vec<(String, String)> = rows.into_iter().map(|row| (row.serial, row.to)).collect();
            assert_eq!(read, [wanted], "{text:?}");
        }
        assert!(matches!(
            read_form("Serial;To;Customer\nA12345;C-1;C-2\n", ""),
            Err(Refused::Invalid { code: "file.column_duplicate", field: "to" })
        ));
    }

    #[test]
    fn files_by_their_headers() {
        let of = |text: &str| read_csv(text.as_bytes()).map(|rows| rows.len());
        assert_eq!(of("to,serial,note\nC-1,A12345,x\n,,\n").ok(), Some(1));
        assert_eq!(of("Kunden-ID;Seriennummer\nC-1;A12345\n").ok(), Some(1));
        assert!(matches!(
            of("serial\nA\n"),
            Err(Refused::Invalid { code: "transfer.column_missing", field: "to" })
        ));
    }
}
