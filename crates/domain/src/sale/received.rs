//! What a file says, before anybody judges it.

use serde::{Deserialize, Serialize};

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// A column that Roadstead knows, whatever the file calls it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field {
            $($(#[$doc])* $name),+
        }

        impl Field {
            /// Every field, in the order of the canonical line.
            pub const ALL: &'static [Field] = &[$(Field::$name),+];

            /// The stable name, as in the API: `serial`, `transaction_date`.
            pub fn as_str(self) -> &'static str {
                match self { $(Field::$name => $text),+ }
            }
        }
    };
}

fields! {
    /// Sale, return, correction or void; empty means sale.
    Transaction = "transaction",
    /// The day of the sale.
    TransactionDate = "transaction_date",
    /// The day the PC was shipped.
    ShipDate = "ship_date",
    /// The reseller's number: who sold the PC.
    Seller = "seller",
    /// The end customer's number, or the next reseller's in a resale.
    Buyer = "buyer",
    /// The end customer's name.
    BuyerName = "buyer_name",
    /// The end customer's country.
    Country = "country",
    /// The product number.
    Product = "product",
    /// The description of the product.
    Model = "model",
    /// The support level that was sold with it, or its service SKU.
    Level = "level",
    /// The serial number.
    Serial = "serial",
    /// How many PCs; negative only in returns.
    Quantity = "quantity",
    /// The invoice number.
    Invoice = "invoice",
    /// The purchase order.
    PurchaseOrder = "purchase_order",
    /// The manufacturer, where it is not the platform's own.
    Manufacturer = "manufacturer",
    /// The invoice of the line that a correction replaces.
    Supersedes = "supersedes",
}

impl Field {
    /// Whether a table without this column is refused as a whole.
    pub fn required(self) -> bool {
        matches!(
            self,
            Field::TransactionDate | Field::Seller | Field::Product | Field::Serial | Field::Quantity
        )
    }
}

/// What is wrong with one cell, as far as only the file format can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellFault {
    /// A number that the spreadsheet shows in scientific notation: digits may be lost.
    ScientificNotation,
    /// A formula; its value depends on the sender's spreadsheet and is not taken.
    Formula,
    /// Longer than the limit of a field; the cell holds its beginning.
    TooLarge,
    /// An amount that is not the number of serials that stand with it.
    Disagrees,
}

/// One line as the file has it: the text of each known cell, and where it stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceivedLine {
    /// 1 for the first line; header and blank rows are not counted.
    pub line: u64,
    /// The row of the file (1 is its first) or the number of the segment.
    pub row: u64,
    cells: [Option<Box<str>>; Field::ALL.len()],
    /// Who reports it, where the file itself says so by a number of ours.
    pub reporter: Option<Box<str>>,
    /// Cells that cannot be taken as they are.
    pub faults: Vec<(Field, CellFault)>,
}

impl ReceivedLine {
    /// An empty line at this place.
    pub fn new(line: u64, row: u64) -> Self {
        Self { line, row, ..Self::default() }
    }

    /// The cell's text as received; empty where the file has none.
    pub fn get(&self, field: Field) -> &str {
        self.cells[field as usize].as_deref().unwrap_or("")
    }

    /// Sets a cell; an empty text is the same as none.
    pub fn set(&mut self, field: Field, text: &str) {
        self.cells[field as usize] = (!text.is_empty()).then(|| text.into());
    }

    /// How many bytes its cells hold.
    pub fn bytes(&self) -> usize {
        self.cells.iter().flatten().map(|text| text.len()).sum()
    }

    /// The fault of this cell, if it has one.
    pub fn fault(&self, field: Field) -> Option<CellFault> {
        self.faults.iter().find(|(f, _)| *f == field).map(|(_, fault)| *fault)
    }

    /// Whether every known cell is empty: such a row is not a line.
    pub fn is_blank(&self) -> bool {
        self.faults.is_empty() && self.cells.iter().flatten().all(|text| text.trim().is_empty())
    }
}
