//! A pool in columns. A filter, a search, a count or a grouping is one walk over a million short values, some
//! milliseconds; what a PC looks like in full is then asked of the database, for the rows of one page.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use memchr::memmem::{self, Finder};
use roadstead_domain::clock::Micros;
use roadstead_domain::partner::SupportLevel;
use roadstead_store::pool::Entry;
use uuid::Uuid;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// The first day of each class of age, newest first; the last one has no end.
pub const AGES: [i64; 5] = [0, 8, 31, 91, 366];

/// By what PCs are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// The end customer, as the sale names it, in any case.
    EndCustomer,
    /// The invoice.
    Invoice,
    /// The order.
    Order,
    /// Who reported the sale.
    Reporter,
    /// The model.
    Model,
    /// The highest support level that the PC is entitled to today.
    Level,
    /// How long it has been in the pool.
    Age,
}

impl GroupBy {
    /// Every way.
    pub const ALL: [Self; 7] =
        [Self::EndCustomer, Self::Invoice, Self::Order, Self::Reporter, Self::Model, Self::Level, Self::Age];

    /// The stable code, which is also the name of the filter that opens a group.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndCustomer => "end_customer",
            Self::Invoice => "invoice_number",
            Self::Order => "order_number",
            Self::Reporter => "reporter",
            Self::Model => "model",
            Self::Level => "support_level",
            Self::Age => "age",
        }
    }

    /// The way with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == code)
    }
}

/// Which PCs. Texts are compared in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the serial, product, model, end customer, invoice or order.
    pub q: Option<String>,
    /// Exactly this end customer; empty for those without one. So for the next ones.
    pub end_customer: Option<String>,
    /// Exactly this invoice.
    pub invoice: Option<String>,
    /// Exactly this order.
    pub order: Option<String>,
    /// Exactly this model.
    pub model: Option<String>,
    /// Reported by this reporter.
    pub reporter: Option<Uuid>,
    /// Entitled to this level at the most; `Some(None)` to none.
    pub level: Option<Option<SupportLevel>>,
    /// In the pool since this instant or later, in microseconds.
    pub from: Option<i64>,
    /// In the pool since before this instant.
    pub before: Option<i64>,
}

impl Filter {
    /// Whether every PC of the pool passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads it from named texts, those of an address; what is not there or empty filters nothing. A value that is
    /// none is told with its code and name.
    ///
    /// `without` names the texts that are to be empty, `age` is the first day of a class of [`AGES`].
    pub fn read(
        get: &dyn Fn(&str) -> Option<String>,
        now: Micros,
    ) -> Result<Self, (&'static str, &'static str)> {
        let text = |name: &str| get(name).map(|text| folded(&text)).filter(|text| !text.is_empty());
        let without = text("without").unwrap_or_default();
        let empty = |name: &str| without.split(',').any(|named| named.trim() == name).then(String::new);
        if without.split(',').any(|name| {
            !matches!(name.trim(), "" | "end_customer" | "invoice_number" | "order_number" | "model")
        }) {
            return Err(("field.unknown_value", "without"));
        }
        let unknown = |name| ("field.unknown_value", name);
        let level = match text("support_level").as_deref() {
            None => None,
            Some("none") => Some(None),
            Some(code) => Some(Some(SupportLevel::from_code(code).ok_or_else(|| unknown("support_level"))?)),
        };
        let day = |name: &'static str| match text(name) {
            None => Ok(None),
            Some(text) => read_instant(&text).map(|at| Some(at.0)).ok_or(("rejected.date_invalid", name)),
        };
        let (mut from, mut before) = (day("reported_after")?, day("reported_before")?);
        if let Some(age) = text("age") {
            let class = AGES.iter().position(|days| days.to_string() == age).ok_or_else(|| unknown("age"))?;
            let youngest = now.0 - AGES[class] * DAY + 1;
            before = Some(before.map_or(youngest, |before: i64| before.min(youngest)));
            if let Some(days) = AGES.get(class + 1) {
                let oldest = now.0 - days * DAY + 1;
                from = Some(from.map_or(oldest, |from: i64| from.max(oldest)));
            }
        }
        let reporter = match text("reporter") {
            None => None,
            Some(id) => Some(id.parse().map_err(|_| unknown("reporter"))?),
        };
        Ok(Self {
            q: text("q"),
            end_customer: empty("end_customer").or_else(|| text("end_customer")),
            invoice: empty("invoice_number").or_else(|| text("invoice_number")),
            order: empty("order_number").or_else(|| text("order_number")),
            model: empty("model").or_else(|| text("model")),
            reporter,
            level,
            from,
            before,
        })
    }
}

/// What somebody typed in or chose, as a view compares it.
fn folded(text: &str) -> String {
    text.trim().replace(['\n', '\r'], " ").to_lowercase().chars().take(200).collect()
}

/// An instant (RFC 3339) or the beginning of a day.
pub fn read_instant(text: &str) -> Option<Micros> {
    let text = text.to_uppercase();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(Micros(instant.as_microsecond()));
    }
    let day = text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Micros(day.timestamp().as_microsecond()))
}

/// What names a PC and its place in either order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Its serial.
    pub serial: String,
    /// Its id.
    pub id: Uuid,
    /// Since when it is in the pool, in microseconds.
    pub since: i64,
}

/// A group of PCs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What its PCs have in common, as the filter takes it: lower case, an id, a code, a number of [`AGES`].
    pub value: String,
    /// How many they are.
    pub devices: u64,
    /// One of them, by which the value is shown as it was written.
    pub sample: Name,
}

/// Distinct texts with their numbers.
#[derive(Debug, Default)]
struct Texts {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    /// Which of them contain this.
    fn containing(&self, finder: &Finder<'_>) -> Vec<bool> {
        self.texts.iter().map(|text| finder.find(text.as_bytes()).is_some()).collect()
    }
}

/// A column of texts.
#[derive(Debug, Default)]
struct Column {
    texts: Texts,
    rows: Vec<u32>,
}

impl Column {
    fn push(&mut self, text: &str) {
        let number = self.texts.number(text);
        self.rows.push(number);
    }

    fn text(&self, row: u32) -> &str {
        &self.texts.texts[self.rows[row as usize] as usize]
    }
}

/// The columns. Rows are only added; `order` names those that count.
#[derive(Debug, Default)]
pub struct View {
    /// The serials, each ended by a line feed, for one search through all of them.
    serials: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
    devices: Vec<Uuid>,
    since: Vec<i64>,
    /// The last day of either entitlement as the number YYYYMMDD; 0 without one.
    premium: Vec<u32>,
    premium_plus: Vec<u32>,
    product: Column,
    model: Column,
    end_customer: Column,
    invoice: Column,
    order_number: Column,
    reporter: Column,
    /// The rows by serial and id.
    order: Vec<u32>,
}

/// A day as the number YYYYMMDD, which compares like the day.
pub fn day_number(day: &str) -> u32 {
    day.bytes()
        .filter(u8::is_ascii_digit)
        .fold(0, |n: u32, digit| n.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
}

impl View {
    /// How many PCs there are.
    pub fn devices(&self) -> usize {
        self.order.len()
    }

    /// Rows that take memory and no longer count.
    fn dead(&self) -> usize {
        self.devices.len() - self.order.len()
    }

    fn serial(&self, row: u32) -> &str {
        let row = row as usize;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        std::str::from_utf8(&self.serials[start..self.ends[row] as usize - 1]).unwrap_or("")
    }

    fn key(&self, row: u32) -> (&str, Uuid) {
        (self.serial(row), self.devices[row as usize])
    }

    fn add(&mut self, entry: &Entry, search: &str) -> u32 {
        let row = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        self.serials.extend_from_slice(entry.serial.as_bytes());
        self.serials.push(b'\n');
        self.ends.push(u32::try_from(self.serials.len()).unwrap_or(u32::MAX));
        self.devices.push(entry.id);
        self.since.push(entry.since.unwrap_or(0));
        let until = |day: &Option<String>| day.as_deref().map_or(0, day_number);
        self.premium.push(until(&entry.premium_until));
        self.premium_plus.push(until(&entry.premium_plus_until));
        let mut parts = search.split('\n').skip(1);
        let mut next = || parts.next().unwrap_or("");
        self.product.push(next());
        self.model.push(next());
        self.end_customer.push(next());
        self.invoice.push(next());
        self.order_number.push(next());
        self.reporter.push(&entry.reporter.map_or_else(String::new, |id| id.to_string()));
        row
    }

    /// Adds PCs that come after all that are there, in their order.
    pub fn append(&mut self, entries: &[Entry]) {
        for entry in entries {
            if let Some(search) = &entry.search {
                let row = self.add(entry, search);
                self.order.push(row);
            }
        }
    }

    /// Takes over what PCs are now: they came, changed, or (without a search text) left.
    pub fn apply(&mut self, mut changes: Vec<Entry>) {
        if changes.is_empty() {
            return;
        }
        changes.sort_unstable_by(|a, b| (&a.serial, a.id).cmp(&(&b.serial, b.id)));
        let old = std::mem::take(&mut self.order);
        let mut order = Vec::with_capacity(old.len() + changes.len());
        let mut rest = old.as_slice();
        for change in &changes {
            let key = (change.serial.as_str(), change.id);
            let before = rest.partition_point(|row| self.key(*row) < key);
            order.extend_from_slice(&rest[..before]);
            rest = &rest[before..];
            if rest.first().is_some_and(|row| self.key(*row) == key) {
                rest = &rest[1..];
            }
            if let Some(search) = &change.search {
                order.push(self.add(change, search));
            }
        }
        order.extend_from_slice(rest);
        self.order = order;
    }

    /// Whether most of its memory is for PCs that left, so that it is better loaded anew.
    pub fn is_worn(&self) -> bool {
        self.dead() > 10_000 && self.dead() > self.devices()
    }

    fn level(&self, row: usize, today: u32) -> Option<SupportLevel> {
        if self.premium_plus[row] > today {
            Some(SupportLevel::PremiumPlus)
        } else {
            (self.premium[row] > today).then_some(SupportLevel::Premium)
        }
    }

    /// The rows whose serial contains this.
    fn serials_containing(&self, needle: &str) -> Vec<bool> {
        let mut hits = vec![false; self.devices.len()];
        let mut row = 0;
        if needle.contains('\n') {
            return hits;
        }
        for at in memmem::find_iter(&self.serials, needle.as_bytes()) {
            // Hits rise, so the row only goes forward; from one hit to the next it may be far.
            if self.ends[row] as usize <= at {
                row += self.ends[row..].partition_point(|end| *end as usize <= at);
            }
            hits[row] = true;
        }
        hits
    }

    /// The rows that pass, in the order of their serials.
    pub fn passing(&self, filter: &Filter, today: u32) -> Vec<u32> {
        // A text that no PC has is a filter that nothing passes.
        let exact = |column: &Column, wanted: &Option<String>| {
            wanted.as_ref().map(|text| column.texts.numbers.get(text.as_str()).copied().unwrap_or(u32::MAX))
        };
        let end_customer = exact(&self.end_customer, &filter.end_customer);
        let invoice = exact(&self.invoice, &filter.invoice);
        let order_number = exact(&self.order_number, &filter.order);
        let model = exact(&self.model, &filter.model);
        let reporter = exact(&self.reporter, &filter.reporter.map(|id| id.to_string()));
        let search = filter.q.as_ref().map(|q| {
            let finder = Finder::new(q.as_bytes());
            let texts = [&self.product, &self.model, &self.end_customer, &self.invoice, &self.order_number]
                .map(|column| (column, column.texts.containing(&finder)));
            (self.serials_containing(&q.to_uppercase()), texts)
        });
        let is = |wanted: Option<u32>, column: &Column, row: usize| {
            wanted.is_none_or(|number| column.rows[row] == number)
        };
        let passes = |row: u32| {
            let row = row as usize;
            is(end_customer, &self.end_customer, row)
                && is(invoice, &self.invoice, row)
                && is(order_number, &self.order_number, row)
                && is(model, &self.model, row)
                && is(reporter, &self.reporter, row)
                && filter.from.is_none_or(|from| self.since[row] >= from)
                && filter.before.is_none_or(|before| self.since[row] < before)
                && filter.level.is_none_or(|level| self.level(row, today) == level)
                && search.as_ref().is_none_or(|(serials, texts)| {
                    serials[row] || texts.iter().any(|(column, hit)| hit[column.rows[row] as usize])
                })
        };
        self.order.iter().copied().filter(|row| passes(*row)).collect()
    }

    /// The names of up to `most` of these rows after a key, by serial.
    pub fn by_serial(&self, rows: &[u32], after: (&str, Uuid), most: usize) -> Vec<Name> {
        let start = rows.partition_point(|row| self.key(*row) <= after);
        rows[start..].iter().take(most).map(|row| self.name(*row)).collect()
    }

    /// The same by arrival, what came last first.
    pub fn newest(&self, rows: &[u32], after: (i64, Uuid), most: usize) -> Vec<Name> {
        let key = |row: u32| (self.since[row as usize], self.devices[row as usize]);
        // The smallest of those kept is on top, to make way for a greater one.
        let mut kept = BinaryHeap::with_capacity(most + 1);
        for row in rows.iter().copied().filter(|row| key(*row) < after) {
            if kept.len() < most {
                kept.push((Reverse(key(row)), row));
            } else if kept.peek().is_some_and(|(Reverse(least), _)| key(row) > *least) {
                kept.pop();
                kept.push((Reverse(key(row)), row));
            }
        }
        kept.into_sorted_vec().into_iter().map(|(_, row)| self.name(row)).collect()
    }

    fn name(&self, row: u32) -> Name {
        let (serial, id) = self.key(row);
        Name { serial: serial.to_owned(), id, since: self.since[row as usize] }
    }

    /// The groups of these rows, largest first, `most` of them from the `skip`-th on; and how many there are.
    /// `now` is in microseconds.
    pub fn groups(
        &self,
        rows: &[u32],
        by: GroupBy,
        (today, now): (u32, i64),
        skip: usize,
        most: usize,
    ) -> (Vec<Group>, usize) {
        let text_of = |column: &Column| (column.texts.texts.len(), column.rows.clone());
        let (size, class): (usize, Vec<u32>) = match by {
            GroupBy::EndCustomer => text_of(&self.end_customer),
            GroupBy::Invoice => text_of(&self.invoice),
            GroupBy::Order => text_of(&self.order_number),
            GroupBy::Reporter => text_of(&self.reporter),
            GroupBy::Model => text_of(&self.model),
            GroupBy::Level => {
                let number = |row| match self.level(row, today) {
                    Some(SupportLevel::PremiumPlus) => 0,
                    Some(SupportLevel::Premium) => 1,
                    None => 2,
                };
                (3, (0..self.devices.len()).map(number).collect())
            }
            GroupBy::Age => (AGES.len(), self.since.iter().map(|since| age_class(now - since)).collect()),
        };
        let mut counts = vec![(0_u64, 0_u32); size];
        for row in rows {
            let (devices, sample) = &mut counts[class[*row as usize] as usize];
            *devices += 1;
            *sample = *row;
        }
        let value = |class: usize, sample: u32| -> String {
            match by {
                GroupBy::EndCustomer => self.end_customer.text(sample).to_owned(),
                GroupBy::Invoice => self.invoice.text(sample).to_owned(),
                GroupBy::Order => self.order_number.text(sample).to_owned(),
                GroupBy::Reporter => self.reporter.text(sample).to_owned(),
                GroupBy::Model => self.model.text(sample).to_owned(),
                GroupBy::Level => ["premium_plus", "premium", "none"][class].to_owned(),
                GroupBy::Age => AGES[class].to_string(),
            }
        };
        let mut found: Vec<(usize, u64, u32)> = counts
            .into_iter()
            .enumerate()
            .filter(|(_, (devices, _))| *devices > 0)
            .map(|(class, (devices, sample))| (class, devices, sample))
            .collect();
        let all = found.len();
        let by_text = |a: &(usize, u64, u32), b: &(usize, u64, u32)| -> Ordering {
            let texts = || value(a.0, a.2).cmp(&value(b.0, b.2));
            // Ages go by time, everything else by size.
            let order = if by == GroupBy::Age { a.0.cmp(&b.0) } else { b.1.cmp(&a.1) };
            order.then_with(texts)
        };
        // Of a hundred thousand invoices only one page is put in order.
        let end = (skip + most).min(all);
        if end < all {
            found.select_nth_unstable_by(end, by_text);
            found.truncate(end);
        }
        found.sort_unstable_by(by_text);
        let groups = found.into_iter().skip(skip);
        let groups = groups.map(|(class, devices, sample)| Group {
            value: value(class, sample),
            devices,
            sample: self.name(sample),
        });
        (groups.collect(), all)
    }
}

/// The number of the class of [`AGES`].
fn age_class(age: i64) -> u32 {
    let days = age.max(0) / DAY;
    let class = AGES.iter().rposition(|from| days >= *from).unwrap_or(0);
    u32::try_from(class).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(serial: &str, id: u128, search: Option<(&str, &str)>, since: i64) -> Entry {
        Entry {
            id: Uuid::from_u128(id),
            serial: serial.to_owned(),
            search: search.map(|(customer, invoice)| {
                let order = format!("PO-{}", id % 3);
                let texts = [serial, "6T1A2EA", "Notebook 14", customer, invoice, &order];
                roadstead_store::pool::search_text(&texts)
            }),
            since: Some(since),
            reporter: Some(Uuid::from_u128(9)),
            premium_until: Some("2027-01-01".to_owned()),
            premium_plus_until: id.is_multiple_of(2).then(|| "2026-06-30".to_owned()),
        }
    }

    fn serials(view: &View, filter: &Filter) -> Vec<String> {
        let rows = view.passing(filter, 20_260_101);
        view.by_serial(&rows, ("", Uuid::nil()), usize::MAX).into_iter().map(|name| name.serial).collect()
    }

    #[test]
    fn levels_ages_and_groups() {
        let mut view = View::default();
        let entries: Vec<Entry> = (1..=40_u128)
            .map(|n| {
                let customer = if n <= 30 { "Muster AG" } else { "Älpha <GmbH>" };
                let since = i64::try_from(n).unwrap() * 10 * DAY;
                entry(&format!("5CG{n:07}"), n, Some((customer, &format!("INV-{}", n / 5))), since)
            })
            .collect();
        view.append(&entries);
        let rows = view.passing(&Filter::default(), 20_260_101);
        let groups = |by, today| view.groups(&rows, by, (today, 400 * DAY), 0, 3).0;
        let seen = |by, today| -> Vec<(String, u64)> {
            groups(by, today).into_iter().map(|g| (g.value, g.devices)).collect()
        };
        let pair = |value: &str, devices| (value.to_owned(), devices);
        assert_eq!(seen(GroupBy::EndCustomer, 0), [pair("muster ag", 30), pair("älpha <gmbh>", 10)]);
        assert_eq!(seen(GroupBy::Order, 0), [pair("po-1", 14), pair("po-0", 13), pair("po-2", 13)]);
        assert_eq!(seen(GroupBy::Level, 20_260_101), [pair("premium", 20), pair("premium_plus", 20)]);
        // The second one has lapsed by then; the day of its end is no longer within it.
        assert_eq!(seen(GroupBy::Level, 20_260_630), [pair("premium", 40)]);
        assert_eq!(seen(GroupBy::Age, 0), [pair("0", 1), pair("8", 3), pair("31", 6)]);
        let (second, all) = view.groups(&rows, GroupBy::Invoice, (0, 0), 3, 2);
        assert_eq!(all, 9);
        assert_eq!(second.iter().map(|g| g.value.as_str()).collect::<Vec<_>>(), ["inv-4", "inv-5"]);
        let filter = |q: &str| Filter { q: Some(q.to_owned()), ..Filter::default() };
        assert_eq!(serials(&view, &filter("älpha")).len(), 10);
        assert_eq!(serials(&view, &filter("g0000004")), ["5CG0000004"]);
        assert_eq!(serials(&view, &filter("40\n5cg")), [""; 0], "nothing runs over from one PC to the next");
        assert_eq!(serials(&view, &filter("14\nmuster")), [""; 0], "nor from one field to the next");
        let unknown = Filter { end_customer: Some("nobody".to_owned()), ..Filter::default() };
        assert!(serials(&view, &unknown).is_empty());
    }

    proptest! {
        /// Whatever comes, changes and leaves, and whatever is asked: as if every PC were looked at by hand.
        #[test]
        fn it_says_what_a_naive_list_says(
            steps in prop::collection::vec(
                prop::collection::vec((0..40_u8, prop::option::of((0..4_u8, 0..6_u8)), 0..50_i64), 0..12), 1..6),
            needle in "[0-9abcg-]{1,4}", customer in prop::option::of(0..4_u8), from in prop::option::of(0..50_i64),
            order in prop::option::of(0..3_u8),
        ) {
            let mut view = View::default();
            let mut naive = std::collections::BTreeMap::new();
            for step in steps {
                let mut last = HashMap::new();
                for (n, facts, since) in step {
                    // Two manufacturers may use one serial.
                    let serial = format!("5CG{:03}", n / 2);
                    let search = facts.map(|(c, i)| (format!("Cust{c}"), format!("B-{i}")));
                    let named = search.as_ref().map(|(c, i)| (c.as_str(), i.as_str()));
                    let change = entry(&serial, u128::from(n), named, since);
                    last.insert(n, change);
                }
                let changes: Vec<Entry> = last.into_values().collect();
                for change in &changes {
                    let key = (change.serial.clone(), change.id);
                    match &change.search {
                        Some(search) => naive.insert(key, (search.clone(), change.since.unwrap())),
                        None => naive.remove(&key),
                    };
                }
                view.apply(changes);
            }
            let filter = Filter {
                q: Some(needle.clone()),
                end_customer: customer.map(|c| format!("cust{c}")),
                order: order.map(|n| format!("po-{n}")),
                from,
                ..Filter::default()
            };
            let expected: Vec<(String, Uuid)> = naive
                .iter()
                .filter(|(_, (search, since))| {
                    search.contains(&needle)
                        && filter.end_customer.as_ref().is_none_or(|c| search.split('\n').nth(3) == Some(c))
                        && filter.order.as_ref().is_none_or(|o| search.split('\n').nth(5) == Some(o))
                        && from.is_none_or(|from| *since >= from)
                })
                .map(|(key, _)| key.clone())
                .collect();
            let rows = view.passing(&filter, 0);
            let keys = |names: Vec<Name>| -> Vec<(String, Uuid)> {
                names.into_iter().map(|name| (name.serial, name.id)).collect()
            };
            let found = keys(view.by_serial(&rows, ("", Uuid::nil()), usize::MAX));
            prop_assert_eq!(&found, &expected);
            if let Some((serial, id)) = expected.first() {
                prop_assert_eq!(keys(view.by_serial(&rows, (serial, *id), 3)), expected[1..].iter().take(3).cloned().collect::<Vec<_>>());
            }
            let mut newest: Vec<_> = expected.iter().map(|key| (naive[key].1, key.1, key.0.clone())).collect();
            newest.sort_unstable();
            newest.reverse();
            let paged = keys(view.newest(&rows, (i64::MAX, Uuid::max()), 4));
            prop_assert_eq!(&paged, &newest.iter().take(4).map(|(_, id, s)| (s.clone(), *id)).collect::<Vec<_>>());
            if newest.len() > 4 {
                let after = (newest[3].0, newest[3].1);
                let rest = view.newest(&rows, after, 100);
                prop_assert_eq!(rest.len(), newest.len() - 4);
            }
        }
    }
}
