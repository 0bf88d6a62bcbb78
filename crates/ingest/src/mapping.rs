//! Which column means which field, by its header in English or German.

use roadstead_domain::sale::Field;

use crate::error::{FileError, FileErrorCode};
use crate::limits::OwnHeaders;

/// The usual English header of each field, and all its names, folded as [`fold`] does.
const HEADERS: &[(Field, &str, &str)] = &[
    (
        Field::Transaction,
        "Transaction",
        "transaction transactiontype transactioncode vorgang vorgangsart transaktion",
    ),
    (
        Field::TransactionDate,
        "Transaction Date",
        "transactiondate saledate salesdate dateofsale selldate verkaufsdatum vorgangsdatum \
         transaktionsdatum",
    ),
    (
        Field::ShipDate,
        "Ship Date",
        "shipdate shippingdate shipmentdate deliverydate lieferdatum versanddatum",
    ),
    (
        Field::Seller,
        "Reseller ID",
        "resellerid resellernumber resellerno resellercode partnerid partnernumber \
         partnerno sellerid sellernumber haendlerid haendlernummer haendlernr \
         fachhaendlerid fachhaendlernummer fachhaendlernr partnernummer partnernr \
         wiederverkaeufernummer",
    ),
    (
        Field::Buyer,
        "End Customer ID",
        "endcustomerid endcustomernumber endcustomerno enduserid endusernumber customerid customernumber \
         customerno buyer buyerid endkundennummer endkundennr endkundenid kundennummer kundennr kundenid",
    ),
    (
        Field::BuyerName,
        "End Customer",
        "endcustomer endcustomername enduser endusername customer customername buyername endkunde \
         endkundenname kunde kundenname",
    ),
    (
        Field::Country,
        "Country",
        "country countrycode endcustomercountry customercountry land laendercode laenderkennzeichen \
         endkundenland",
    ),
    (
        Field::Product,
        "Product Number",
        "productnumber productno productid productcode sku partnumber partno itemnumber itemno \
         materialnumber produktnummer produktnr artikelnummer artikelnr teilenummer \
         materialnummer",
    ),
    (
        Field::Model,
        "Description",
        "description productdescription productname model modelname bezeichnung produktbezeichnung \
         artikelbezeichnung beschreibung produktname modell modellbezeichnung",
    ),
    (
        Field::Level,
        "Service Level",
        "servicelevel supportlevel servicesku serviceproduct serviceproductnumber serviceartikel \
         supportstufe servicestufe",
    ),
    (
        Field::Serial,
        "Serial Number",
        "serial serialnumber serialnumbers serialno serialnr sn seriennummer seriennummern seriennr",
    ),
    (Field::Quantity, "Quantity", "quantity qty quantitysold units menge anzahl stueck stueckzahl"),
    (
        Field::Invoice,
        "Invoice Number",
        "invoice invoicenumber invoiceno invoiceid rechnung rechnungsnummer rechnungsnr rechnungnr",
    ),
    (
        Field::PurchaseOrder,
        "Purchase Order",
        "purchaseorder purchaseordernumber purchaseorderno ponumber pono po ordernumber bestellung \
         bestellnummer bestellnr",
    ),
    (
        Field::Manufacturer,
        "Manufacturer",
        "manufacturer manufacturername vendor brand hersteller herstellername marke",
    ),
    (
        Field::Supersedes,
        "Supersedes",
        "supersedes supersedesinvoice corrects correctedinvoice correctsinvoice replaces replacesinvoice \
         ersetzt ersetztrechnung korrigiert",
    ),
];

/// Headers that stand for a field only where no column has a better one.
/// `Reseller` beside `Reseller ID` is the reseller's name.
const FALLBACKS: &[(Field, &str)] = &[
    (Field::TransactionDate, "date"),
    (Field::TransactionDate, "datum"),
    (Field::TransactionDate, "invoicedate"),
    (Field::TransactionDate, "rechnungsdatum"),
    (Field::Seller, "reseller"),
    (Field::Seller, "partner"),
    (Field::Seller, "seller"),
    (Field::Seller, "haendler"),
    (Field::Seller, "fachhaendler"),
    (Field::Seller, "wiederverkaeufer"),
    (Field::Product, "product"),
    (Field::Product, "produkt"),
    (Field::Product, "artikel"),
];

/// A cell of the header row: its column from 0, its text.
pub(crate) type Header = (usize, String);

/// What a header row means.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) known: Vec<(usize, Field, String)>,
    pub(crate) unknown: Vec<String>,
}

/// Maps the header in this row, or says which column is missing or twice.
pub(crate) fn columns(row: u64, headers: &[Header], own: &OwnHeaders) -> Result<Columns, FileError> {
    found(row, headers, own).map_err(|error| FileError {
        headers: headers.iter().take(200).map(|(_, text)| short(text).to_owned()).collect(),
        ..error
    })
}

fn found(row: u64, headers: &[Header], own: &OwnHeaders) -> Result<Columns, FileError> {
    let mut columns = Columns::default();
    let mut undecided = Vec::new();
    for (column, text) in headers {
        match own.get(&fold(text)) {
            Some(Some(field)) => add(&mut columns, row, *column, *field, text)?,
            Some(None) => columns.unknown.push(text.clone()),
            None => {}
        }
    }
    // What the sender has said goes before what a header usually means.
    let said: Vec<Field> = columns.known.iter().map(|(_, field, _)| *field).collect();
    for (column, text) in headers {
        let folded = fold(text);
        match field(&folded) {
            _ if own.contains_key(&folded) => {}
            Some(field) if said.contains(&field) => columns.unknown.push(text.clone()),
            Some(field) => add(&mut columns, row, *column, field, text)?,
            None => undecided.push((*column, folded, text)),
        }
    }
    // A better name first: `Datum` beside `Rechnungsdatum` is the date.
    undecided.sort_by_key(|(_, folded, _)| {
        FALLBACKS.iter().position(|(_, name)| name == folded).unwrap_or(usize::MAX)
    });
    for (column, folded, text) in undecided {
        // The same header once more is twice the column, not another name for it.
        let free =
            |field: &Field| columns.known.iter().all(|(_, known, t)| known != field || fold(t) == folded);
        match fallback(&folded).filter(free) {
            Some(field) => add(&mut columns, row, column, field, text)?,
            None if text.trim().is_empty() => {}
            None => columns.unknown.push(text.clone()),
        }
    }
    columns.known.sort_by_key(|(column, ..)| *column);
    complete(row, &columns, headers)?;
    Ok(columns)
}

/// How many of these headers are known: tells a header from a title and one delimiter from another.
pub(crate) fn known(headers: &[Header], own: &OwnHeaders) -> usize {
    let is_known =
        |folded: &str| own.contains_key(folded) || field(folded).or_else(|| fallback(folded)).is_some();
    headers.iter().filter(|(_, text)| is_known(&fold(text))).count()
}

fn add(columns: &mut Columns, row: u64, column: usize, field: Field, text: &str) -> Result<(), FileError> {
    if let Some((_, _, first)) = columns.known.iter().find(|(_, known, _)| *known == field) {
        // Of columns that only describe, and of two names for a product, the first counts: extra columns are no fault.
        if !field.required() || (field == Field::Product && fold(first) != fold(text)) {
            columns.unknown.push(text.to_owned());
            return Ok(());
        }
        let detail = format!("{} twice: {:?} and {:?}", field.as_str(), short(first), short(text));
        return Err(FileError::new(FileErrorCode::ColumnDuplicate, detail)
            .at_row(row)
            .in_column(field, text));
    }
    columns.known.push((column, field, text.to_owned()));
    Ok(())
}

fn complete(row: u64, columns: &Columns, headers: &[Header]) -> Result<(), FileError> {
    let missing: Vec<_> = HEADERS
        .iter()
        .filter(|(field, ..)| field.required() && columns.known.iter().all(|(_, known, _)| known != field))
        .collect();
    let Some((field, usual, _)) = missing.first() else { return Ok(()) };
    let names: Vec<_> = missing.iter().map(|(_, usual, _)| *usual).collect();
    // A file that is no table at all may have any number of them.
    let found: Vec<_> = headers.iter().take(40).map(|(_, text)| short(text)).collect();
    let detail = format!("missing: {}; found: {}", names.join(", "), found.join(", "));
    Err(FileError::new(FileErrorCode::ColumnMissing, detail).at_row(row).in_column(*field, *usual))
}

fn field(folded: &str) -> Option<Field> {
    HEADERS.iter().find(|(_, _, names)| names.split(' ').any(|name| name == folded)).map(|(field, ..)| *field)
}

fn fallback(folded: &str) -> Option<Field> {
    FALLBACKS.iter().find(|(_, header)| *header == folded).map(|(field, _)| *field)
}

/// The one spelling under which a header is compared: `Händler-Nr. (intern)` is `haendlernr`.
pub fn folded_header(header: &str) -> String {
    fold(header)
}

/// What a header usually means.
pub fn usual_field(header: &str) -> Option<Field> {
    let folded = fold(header);
    field(&folded).or_else(|| fallback(&folded))
}

/// The English header of a field, as our own files write it.
pub fn usual_header(field: Field) -> &'static str {
    HEADERS.iter().find(|(known, ..)| *known == field).map_or(field.as_str(), |(_, usual, _)| usual)
}

fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(60)]
}

/// One spelling for all: `Händler-Nr. (intern)` becomes `haendlernr`.
fn fold(header: &str) -> String {
    let mut folded = String::new();
    let mut depth = 0_u32;
    for letter in header.chars().flat_map(char::to_lowercase) {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            'ä' => folded.push_str("ae"),
            'ö' => folded.push_str("oe"),
            'ü' => folded.push_str("ue"),
            'ß' => folded.push_str("ss"),
            // Files from some systems spell an umlaut as a letter and this combining mark.
            '\u{308}' => folded.push('e'),
            _ if letter.is_alphanumeric() => folded.push(letter),
            _ => {}
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use super::*;

    fn headers(texts: &[&str]) -> Vec<Header> {
        texts.iter().enumerate().map(|(column, text)| (column, (*text).to_owned())).collect()
    }

    fn columns(row: u64, headers: &[Header]) -> Result<Columns, FileError> {
        super::columns(row, headers, &OwnHeaders::new())
    }

    #[test]
    fn what_the_sender_calls_its_columns_goes_first() {
        let own = OwnHeaders::from([
            (fold("Geräte-Kennung"), Some(Field::Serial)),
            (fold("Menge"), None),
            (fold("Anz."), Some(Field::Quantity)),
        ]);
        let file =
            headers(&["Date", "Reseller ID", "SKU", "Geräte-Kennung", "Serial Number", "Menge", "Anz."]);
        let found = super::columns(1, &file, &own).unwrap();
        let serial = found.known.iter().find(|(_, field, _)| *field == Field::Serial).unwrap();
        assert_eq!((serial.0, found.known.last().unwrap().0), (3, 6));
        assert_eq!(found.unknown, ["Menge", "Serial Number"]);
        assert_eq!(known(&file, &own), 7);
        let twice = headers(&["Date", "Reseller ID", "SKU", "Geräte-Kennung", "Geräte Kennung", "Anz."]);
        let error = super::columns(1, &twice, &own).unwrap_err();
        assert_eq!(error.code, FileErrorCode::ColumnDuplicate);
        assert_eq!(error.headers.len(), 6);
    }

    const REQUIRED: [&str; 5] =
        ["Transaction Date", "Reseller ID", "Product Number", "Serial Number", "Quantity"];

    #[test]
    fn every_name_is_folded_and_means_one_field() {
        let mut seen = std::collections::HashSet::new();
        for (_, usual, names) in HEADERS {
            assert!(names.split(' ').any(|name| name == fold(usual)), "{usual}");
            for name in names.split(' ') {
                assert_eq!(fold(name), name);
                assert!(seen.insert(name), "{name} twice");
            }
        }
        assert_eq!(HEADERS.iter().map(|(field, ..)| *field).collect::<Vec<_>>(), Field::ALL);
        assert!(FALLBACKS.iter().all(|(_, name)| seen.insert(name) && fold(name) == *name));
    }

    #[test]
    fn spellings() {
        for (text, expected) in [
            ("Händler-Nr. (intern)", Some(Field::Seller)),
            ("HÄNDLERNUMMER", Some(Field::Seller)),
            ("Ha\u{308}ndlernummer", Some(Field::Seller)),
            ("Fachhaendler_ID", Some(Field::Seller)),
            ("S/N", Some(Field::Serial)),
            ("  Serial\u{a0}No.: ", Some(Field::Serial)),
            ("Serial #", Some(Field::Serial)),
            ("Stück", Some(Field::Quantity)),
            ("Customer Name", Some(Field::BuyerName)),
            ("Kundennummer", Some(Field::Buyer)),
            ("Service SKU", Some(Field::Level)),
            ("Ersetzt", Some(Field::Supersedes)),
            ("Serial Numbered", None),
            ("", None),
            ("(Serial)", None),
        ] {
            assert_eq!(field(&fold(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn order_and_unknown_columns_are_kept() {
        let found = columns(1, &headers(&["Qty", "Region", "Date", "", "Reseller", "SKU", "SN"])).unwrap();
        assert_eq!(
            found.known.iter().map(|(column, field, _)| (*column, *field)).collect::<Vec<_>>(),
            [
                (0, Field::Quantity),
                (2, Field::TransactionDate),
                (4, Field::Seller),
                (5, Field::Product),
                (6, Field::Serial)
            ]
        );
        assert_eq!(found.unknown, ["Region"]);
    }

    #[test]
    fn the_invoice_date_stands_in_for_the_date() {
        let alone = columns(1, &headers(&["Reseller", "SKU", "SN", "Qty", "Invoice Date"])).unwrap();
        assert_eq!(alone.known[4].1, Field::TransactionDate);
        let beside =
            columns(1, &headers(&["Rechnungsdatum", "Reseller", "SKU", "SN", "Qty", "Datum"])).unwrap();
        assert_eq!(beside.unknown, ["Rechnungsdatum"]);
        let named = columns(1, &headers(&["Reseller", "Reseller ID", "SKU", "SN", "Qty", "Date"])).unwrap();
        assert_eq!(named.known[0].0, 1, "the bare word beside the number is a name");
        assert_eq!(named.unknown, ["Reseller"]);
    }

    #[test]
    fn each_required_column_is_missed() {
        for missing in REQUIRED {
            let error =
                columns(3, &headers(&REQUIRED.map(|name| if name == missing { "Other" } else { name })))
                    .unwrap_err();
            assert_eq!((error.code, error.row), (FileErrorCode::ColumnMissing, Some(3)));
            assert_eq!(error.column.as_deref(), Some(missing));
            assert!(error.field.unwrap().required());
            assert!(error.detail.contains("Other"));
        }
    }

    #[test]
    fn a_required_field_twice_is_refused_also_by_two_names() {
        for (first, second, field) in [
            ("Serial Number", "Serial Number", Field::Serial),
            ("Serial Number", "Seriennummer", Field::Serial),
            ("Reseller", "Reseller", Field::Seller),
        ] {
            let mut texts = REQUIRED.to_vec();
            texts.retain(|text| *text != first && !(field == Field::Seller && text.starts_with("Reseller")));
            texts.extend([first, second]);
            let error = columns(2, &headers(&texts)).unwrap_err();
            assert_eq!((error.code, error.row), (FileErrorCode::ColumnDuplicate, Some(2)));
            assert_eq!((error.field, error.column.as_deref()), (Some(field), Some(second)));
        }
        let mut texts = REQUIRED.to_vec();
        texts.extend(["Invoice Number", "Rechnung", "SKU"]);
        let found = columns(1, &headers(&texts)).unwrap();
        assert_eq!(found.unknown, ["Rechnung", "SKU"], "an extra column is no fault");
    }
}
