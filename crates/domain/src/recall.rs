//! Recall lists: which PCs a maker calls back, by product or model, and serial.

use std::collections::HashMap;

use crate::serial;

/// What is recalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The battery.
    Battery,
    /// Anything else.
    Other,
}

impl Part {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Battery => "battery",
            Part::Other => "other",
        }
    }

    /// The part with this name, in either language.
    pub fn read(text: &str) -> Option<Self> {
        match text.trim().to_lowercase().as_str() {
            "battery" | "akku" => Some(Part::Battery),
            "other" | "anderes" => Some(Part::Other),
            _ => None,
        }
    }

    /// The code of the alert's kind.
    pub fn alert(self) -> &'static str {
        match self {
            Part::Battery => crate::alert::BATTERY_RECALL.code,
            Part::Other => crate::alert::HARDWARE_RECALL.code,
        }
    }
}

/// PCs that are called back: a product or a model, all of it or from one serial to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Range {
    /// The product number; empty for any.
    pub product_number: String,
    /// The model; empty for any.
    pub model: String,
    /// The first serial; empty for any.
    pub serial_from: String,
    /// The last serial, as long as the first one; empty where only the first one is meant, or any.
    pub serial_to: String,
}

/// Why a range cannot be as it was written: a stable code and the column.
pub type BadRange = (&'static str, &'static str);

impl Range {
    /// Reads a range as it was written.
    pub fn read(product_number: &str, model: &str, from: &str, to: &str) -> Result<Self, BadRange> {
        let (product_number, model) = (product_number.trim().to_uppercase(), model.trim().to_owned());
        if product_number.is_empty() && model.is_empty() {
            return Err(("field.missing", "product_number"));
        }
        for (text, column) in [(&product_number, "product_number"), (&model, "model")] {
            if text.chars().count() > 200 {
                return Err(("field.too_long", column));
            }
        }
        let serial = |text: &str, column| match text.trim() {
            "" => Ok(String::new()),
            text => serial::normalize(text).map_err(|_| ("recall.serial", column)),
        };
        let (from, to) = (serial(from, "serial_from")?, serial(to, "serial_to")?);
        if from.is_empty() && !to.is_empty() {
            return Err(("field.missing", "serial_from"));
        }
        if !to.is_empty() && (to.len() != from.len() || to < from) {
            return Err(("recall.range", "serial_to"));
        }
        Ok(Self { product_number, model, serial_from: from, serial_to: to })
    }

    /// Whether a PC is called back.
    pub fn covers(&self, pc: Pc<'_>) -> bool {
        let fits = |want: &str, has: &str| want.is_empty() || want.eq_ignore_ascii_case(has.trim());
        fits(&self.product_number, pc.product_number)
            && fits(&self.model, pc.model)
            && match (self.serial_from.as_str(), self.serial_to.as_str()) {
                ("", _) => true,
                (only, "") => pc.serial == only,
                // Of one length, serials rise as their texts do.
                (from, to) => pc.serial.len() == from.len() && (from..=to).contains(&pc.serial),
            }
    }
}

/// A PC as recall lists see it.
#[derive(Clone, Copy, Debug)]
pub struct Pc<'a> {
    /// Its serial, normalised.
    pub serial: &'a str,
    /// The product number.
    pub product_number: &'a str,
    /// The model.
    pub model: &'a str,
}

/// All lists, so that a PC's are found without walking through every range.
#[derive(Debug, Default)]
pub struct Lists<T> {
    by_product: HashMap<String, Vec<(Range, T)>>,
    by_model: HashMap<String, Vec<(Range, T)>>,
}

impl<T: Clone + Ord> Lists<T> {
    /// The ranges, each with its list.
    pub fn new(ranges: impl IntoIterator<Item = (Range, T)>) -> Self {
        let mut lists = Self { by_product: HashMap::new(), by_model: HashMap::new() };
        for (range, list) in ranges {
            let (map, key) = if range.product_number.is_empty() {
                (&mut lists.by_model, range.model.to_ascii_lowercase())
            } else {
                (&mut lists.by_product, range.product_number.to_ascii_lowercase())
            };
            map.entry(key).or_default().push((range, list));
        }
        lists
    }

    /// The lists that a PC is on, each once.
    pub fn of(&self, pc: Pc<'_>) -> Vec<T> {
        let key = |text: &str| text.trim().to_ascii_lowercase();
        let near = [self.by_product.get(&key(pc.product_number)), self.by_model.get(&key(pc.model))];
        let ranges = near.into_iter().flatten().flatten();
        let mut lists: Vec<T> =
            ranges.filter(|(range, _)| range.covers(pc)).map(|(_, list)| list.clone()).collect();
        lists.sort();
        lists.dedup();
        lists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_by_table() {
        for (cells, expected) in [
            (["6t1a2ea", "", "", ""], None),
            (["", "Book 840 G5", "", ""], None),
            (["6T1A2EA", "", "5cg000 0001", ""], None),
            (["6T1A2EA", "", "5CG0000001", "5CG0000009"], None),
            (["", "", "5CG0000001", ""], Some(("field.missing", "product_number"))),
            (["6T1A2EA", "", "", "5CG0000001"], Some(("field.missing", "serial_from"))),
            (["6T1A2EA", "", "5CG!", ""], Some(("recall.serial", "serial_from"))),
            (["6T1A2EA", "", "5CG0000009", "5CG0000001"], Some(("recall.range", "serial_to"))),
            (["6T1A2EA", "", "5CG0000001", "5CG000002"], Some(("recall.range", "serial_to"))),
        ] {
            let [product, model, from, to] = cells;
            assert_eq!(Range::read(product, model, from, to).err(), expected, "{cells:?}");
        }
    }

    #[test]
    fn pcs_on_lists_by_table() {
        let range = |product, model, from, to| Range::read(product, model, from, to).unwrap();
        let lists = Lists::new([
            (range("6T1A2EA", "", "", ""), "all"),
            (range("6T1A2EA", "", "5CG0000005", "5CG0000009"), "some"),
            (range("6T1A2EA", "", "5CG0000007", ""), "one"),
            (range("", "Book 840 G5", "5CG0000001", "5CG0000009"), "model"),
            (range("4N1C0EA", "Book 840 G5", "", ""), "both"),
        ]);
        for (serial, product_number, model, expected) in [
            ("5CG0000001", "6t1a2ea", "", vec!["all"]),
            ("5CG0000005", "6T1A2EA ", "", vec!["all", "some"]),
            ("5CG0000007", "6T1A2EA", "book 840 g5", vec!["all", "model", "one", "some"]),
            ("5CG00000070", "6T1A2EA", "", vec!["all"]),
            ("5CG0000009", "X", "Book 840 G5", vec!["model"]),
            ("5CG0000010", "X", "Book 840 G5", vec![]),
            ("5CG0000010", "4N1C0EA", "Book 840 G5", vec!["both"]),
            ("5CG0000010", "4N1C0EA", "Book 840 G6", vec![]),
            ("5CG0000010", "", "", vec![]),
        ] {
            let pc = Pc { serial, product_number, model };
            assert_eq!(lists.of(pc), expected, "{pc:?}");
        }
    }
}
