//! Lines out of the segments of one transaction set or message.
//!
//! Both kinds of report are the same story: what a header says holds for all, what a group says for its lines (the PTD
//! loop of an 867, the location of a SLSRPT), and a quantity with its serials is as many lines as it has serials.

use std::mem::take;

use roadstead_domain::sale::{CellFault, Field, ReceivedLine, parse_quantity};

use super::Syntax;
use super::answer::{SegmentFault, Why};
use super::map::{Map, Place, Purpose, QuantityKind, Rule, Target};
use super::scan::Segment;
use crate::cut;
use crate::limits::Limits;

/// Serials and quantities held until they are told apart.
const HELD: usize = 10_000;
/// Levels of a set: header, group, and the line of a SLSRPT.
const LEVELS: usize = 3;
/// The level below, that of a quantity.
const QUANTITY: usize = LEVELS;

/// A value with the rank of the place that it came from.
#[derive(Debug, Clone, Default)]
struct Value {
    rank: u8,
    text: Option<Box<str>>,
}

/// What one level says. The one behind the fields is the reporter.
type Level = [Value; Field::ALL.len() + 1];

const REPORTER: usize = Field::ALL.len();

#[derive(Debug)]
struct Serial {
    text: Box<str>,
    row: u64,
}

/// What a level has of serials: all from places of one rank, the best.
#[derive(Debug, Default)]
struct Serials {
    rank: u8,
    all: Vec<Serial>,
}

impl Serials {
    fn add(&mut self, rank: u8, serial: Serial) {
        if self.all.is_empty() || rank < self.rank {
            self.rank = rank;
            self.all.clear();
        }
        if rank == self.rank {
            self.all.push(serial);
        }
    }
}

/// A QTY with what stands under it.
#[derive(Debug)]
struct Quantity {
    code: Box<str>,
    kind: Option<QuantityKind>,
    text: Box<str>,
    row: u64,
    values: Level,
    serials: Serials,
}

/// Reads one set after another.
pub(super) struct Gather<'m> {
    syntax: Syntax,
    map: &'m Map,
    limits: &'m Limits,
    levels: [Level; LEVELS],
    /// How deep we are; what comes belongs there.
    depth: usize,
    /// What the last N1 stood for.
    party: Vec<u8>,
    purpose: Result<Purpose, Box<str>>,
    /// Serials before the first quantity of their group or line.
    before: Serials,
    /// The quantity that is being read.
    open: Option<Quantity>,
    /// Quantities that wait, since there are serials before them.
    waiting: Vec<Quantity>,
    held: usize,
    /// Where the group or line began, and whether it had any quantity.
    began: Option<u64>,
    had_quantity: bool,
    had_item: bool,
    groups: u64,
    items: u64,
    ended: bool,
    /// Lines that are whole.
    pub(super) ready: Vec<ReceivedLine>,
}

impl<'m> Gather<'m> {
    pub(super) fn new(syntax: Syntax, map: &'m Map, limits: &'m Limits) -> Self {
        Self {
            syntax,
            map,
            limits,
            levels: Default::default(),
            depth: 0,
            party: Vec::new(),
            purpose: Ok(Purpose::Original),
            before: Serials::default(),
            open: None,
            waiting: Vec::new(),
            held: 0,
            began: None,
            had_quantity: false,
            had_item: false,
            groups: 0,
            items: 0,
            ended: false,
            ready: Vec::new(),
        }
    }

    /// Takes a segment; its position in the set counts the header as 1.
    pub(super) fn take(&mut self, segment: &Segment<'_>, position: u64) -> Result<(), SegmentFault> {
        let tag = segment.tag();
        let begins: &[u8] = match self.syntax {
            Syntax::X12 => b"BPT",
            Syntax::Edifact => b"BGM",
        };
        let wrong = match (position == 2, tag == begins) {
            (true, false) => {
                return Err(SegmentFault { tag: begins.into(), position, why: Why::Missing });
            }
            (false, true) => Some(Why::OutOfPlace),
            (true, true) => {
                self.begin(segment);
                None
            }
            (false, false) => match self.syntax {
                Syntax::X12 => self.x12(segment, tag),
                Syntax::Edifact => self.edifact(segment, tag),
            }
            .err(),
        };
        let wrong = wrong.or_else(|| self.capture(segment, tag).err());
        match wrong {
            Some(why) => Err(SegmentFault { tag: tag.into(), position, why }),
            None => Ok(()),
        }
    }

    /// The set ends: what is open is whole.
    pub(super) fn end(&mut self, segment: &Segment<'_>) {
        self.close(segment.number);
    }

    fn begin(&mut self, segment: &Segment<'_>) {
        let code = match self.syntax {
            Syntax::X12 => segment.component(1, 1),
            Syntax::Edifact => segment.component(3, 1),
        };
        self.purpose = match self.map.purposes.get(code) {
            Some(purpose) => Ok(*purpose),
            None if code.is_empty() => Ok(Purpose::Original),
            None => Err(segment.text(code).into()),
        };
    }

    fn x12(&mut self, segment: &Segment<'_>, tag: &[u8]) -> Result<(), Why> {
        match tag {
            b"PTD" if self.ended => return Err(Why::OutOfPlace),
            b"PTD" => {
                self.group(segment, 1);
                self.groups += 1;
            }
            b"QTY" if self.depth == 0 => return Err(Why::OutOfPlace),
            b"QTY" => self.quantity(segment, segment.component(1, 1), segment.element(2))?,
            b"LIN" if self.depth != QUANTITY => return Err(Why::OutOfPlace),
            b"LIN" if self.had_item => return Err(Why::TooMany),
            b"LIN" => {
                self.had_item = true;
                self.items += 1;
            }
            b"N1" => {
                self.party.clear();
                self.party.extend_from_slice(segment.component(1, 1));
            }
            b"CTT" => {
                self.totals(segment);
                // The standard counts items, guides count PTD loops: where one holds one, they are the same.
                let declared = number(segment.element(1));
                if declared != Some(self.groups) && declared != Some(self.items) {
                    return Err(Why::CountDiffers);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn edifact(&mut self, segment: &Segment<'_>, tag: &[u8]) -> Result<(), Why> {
        match tag {
            b"LOC" | b"LIN" if self.ended => return Err(Why::OutOfPlace),
            b"LOC" => {
                self.group(segment, 1);
                self.began = None;
            }
            b"LIN" if self.depth == 0 => return Err(Why::OutOfPlace),
            b"LIN" => {
                self.group(segment, 2);
                self.items += 1;
            }
            b"PIA" if self.depth < 2 => return Err(Why::OutOfPlace),
            b"QTY" if self.depth < 2 => return Err(Why::OutOfPlace),
            b"QTY" => self.quantity(segment, segment.component(1, 1), segment.component(1, 2))?,
            b"CNT" => {
                self.totals(segment);
                if segment.component(1, 1) == b"2" && number(segment.component(1, 2)) != Some(self.items) {
                    return Err(Why::CountDiffers);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn group(&mut self, segment: &Segment<'_>, depth: usize) {
        self.close(segment.number);
        self.clear_from(depth);
        self.depth = depth;
        self.began = Some(segment.number);
    }

    fn totals(&mut self, segment: &Segment<'_>) {
        self.close(segment.number);
        self.clear_from(1);
        self.depth = 0;
        self.ended = true;
    }

    fn clear_from(&mut self, depth: usize) {
        for level in &mut self.levels[depth..] {
            *level = Level::default();
        }
        self.party.clear();
    }

    fn quantity(&mut self, segment: &Segment<'_>, code: &[u8], amount: &[u8]) -> Result<(), Why> {
        self.close_quantity();
        if self.held > HELD {
            return Err(Why::TooMany);
        }
        self.depth = QUANTITY;
        self.had_quantity = true;
        self.had_item = false;
        self.party.clear();
        let row = match self.syntax {
            Syntax::X12 => segment.number,
            Syntax::Edifact => self.began.unwrap_or(segment.number),
        };
        self.open = Some(Quantity {
            code: String::from_utf8_lossy(code).into(),
            kind: self.map.quantities.get(code).copied(),
            text: String::from_utf8_lossy(amount).into(),
            row,
            values: Level::default(),
            serials: Serials::default(),
        });
        Ok(())
    }

    /// Keeps what the map wants of this segment.
    fn capture(&mut self, segment: &Segment<'_>, tag: &[u8]) -> Result<(), Why> {
        let map = self.map;
        for rule in map.rules.iter().filter(|rule| *rule.tag == *tag) {
            let is = |wanted: &Option<Box<[u8]>>, found: &[u8]| wanted.as_deref().is_none_or(|w| w == found);
            if !is(&rule.qualifier, segment.component(1, 1)) || !is(&rule.party, &self.party) {
                continue;
            }
            if let Some((element, component, wanted)) = &rule.condition
                && segment.component(*element, *component) != &**wanted
            {
                continue;
            }
            let mut text = segment.text(self.find(segment, rule));
            if text.trim().is_empty() {
                continue;
            }
            if self.syntax == Syntax::Edifact && tag == b"DTM" {
                let format = segment.component(1, 3);
                if let Some(day) = day_of(&text, format) {
                    text = day.into();
                }
            }
            match rule.target {
                Target::Field(Field::Serial) => self.serial(rule.rank, &text, segment.number)?,
                Target::Field(field) => self.keep(field as usize, rule.rank, &text),
                Target::Reporter => self.keep(REPORTER, rule.rank, &text),
            }
        }
        Ok(())
    }

    fn find<'s>(&self, segment: &Segment<'s>, rule: &Rule) -> &'s [u8] {
        match (&rule.place, self.syntax) {
            (Place::Element(element, None), Syntax::X12) => segment.element(*element),
            (Place::Element(element, component), _) => segment.component(*element, component.unwrap_or(1)),
            // LIN02 and 03, 04 and 05, and so on.
            (Place::Pair(code), Syntax::X12) => (2..segment.elements())
                .step_by(2)
                .find(|n| segment.element(*n) == &**code)
                .map_or(b"", |n| segment.element(n + 1)),
            (Place::Pair(code), Syntax::Edifact) => (1..=segment.elements())
                .find(|n| segment.component(*n, 2) == &**code)
                .map_or(b"", |n| segment.component(n, 1)),
        }
    }

    fn keep(&mut self, slot: usize, rank: u8, text: &str) {
        let level = match (&mut self.open, self.depth) {
            (Some(open), QUANTITY) => &mut open.values,
            _ => &mut self.levels[self.depth],
        };
        let value = &mut level[slot];
        // Of two places of one rank the first counts.
        if value.text.is_none() || rank < value.rank {
            *value = Value { rank, text: Some(text.into()) };
        }
    }

    fn serial(&mut self, rank: u8, text: &str, row: u64) -> Result<(), Why> {
        let (of, least) = match &mut self.open {
            Some(open) => (&mut open.serials, 0),
            None => (&mut self.before, if self.syntax == Syntax::X12 { 1 } else { 2 }),
        };
        if self.depth < least {
            return Err(Why::OutOfPlace);
        }
        if of.all.len() >= HELD {
            return Err(Why::TooMany);
        }
        of.add(rank, Serial { text: text.into(), row });
        Ok(())
    }

    /// A quantity is whole. It may wait for others of its line only where serials stand before them.
    fn close_quantity(&mut self) {
        let Some(quantity) = self.open.take() else { return };
        if self.before.all.is_empty() {
            self.emit(quantity);
        } else {
            self.held += 1 + quantity.serials.all.len();
            self.waiting.push(quantity);
        }
    }

    /// A group or line is whole.
    fn close(&mut self, here: u64) {
        self.close_quantity();
        let (before, mut waiting) = (take(&mut self.before.all), take(&mut self.waiting));
        self.held = 0;
        let began = self.began.take();
        let had_quantity = take(&mut self.had_quantity);
        self.had_item = false;
        if !before.is_empty() {
            let left = share(before, &mut waiting);
            for quantity in waiting {
                self.emit(quantity);
            }
            if !left.is_empty() {
                self.emit_without(left, here);
            }
        } else if let (Some(row), false) = (began, had_quantity) {
            // It says nothing that can be counted: told, not dropped.
            self.emit_without(Vec::new(), row);
        }
    }

    fn emit_without(&mut self, all: Vec<Serial>, row: u64) {
        let sale = Some(QuantityKind::Sale);
        let (code, text) = (Box::default(), Box::default());
        let serials = Serials { rank: 0, all };
        self.emit(Quantity { code, kind: sale, text, row, values: Level::default(), serials });
    }

    fn emit(&mut self, quantity: Quantity) {
        let Quantity { code, kind, text, row, values, serials } = quantity;
        if kind == Some(QuantityKind::Stock) {
            return;
        }
        let count = serials.all.len() as u64;
        let amount = parse_quantity(&text);
        let agrees = count > 0 && amount.is_some_and(|amount| amount.unsigned_abs() == count);
        let each = match amount {
            Some(amount) if agrees && amount < 0 => "-1",
            Some(_) if agrees => "1",
            _ => &text,
        };
        let mut line = ReceivedLine::new(0, row);
        for field in Field::ALL {
            if let Some(text) = self.best(*field as usize, &values) {
                let kept = cut(text, self.limits.field_bytes);
                if kept.len() < text.len() {
                    line.faults.push((*field, CellFault::TooLarge));
                }
                line.set(*field, kept);
            }
        }
        let transaction = match (&self.purpose, kind) {
            (Err(purpose), _) => purpose,
            (_, None) => &*code,
            (Ok(Purpose::Void), Some(QuantityKind::Sale)) => "void",
            (Ok(Purpose::Void), _) => "void of a return",
            (_, Some(QuantityKind::Return)) => "return",
            (Ok(Purpose::Replace), _) if !line.get(Field::Supersedes).is_empty() => "correction",
            _ => "sale",
        };
        line.set(Field::Transaction, transaction);
        line.set(Field::Quantity, each);
        line.reporter = self.best(REPORTER, &values).map(Into::into);
        if count > 0 && !agrees {
            line.faults.push((Field::Quantity, CellFault::Disagrees));
        }
        if serials.all.is_empty() {
            self.ready.push(line);
            return;
        }
        for serial in serials.all {
            let mut line = line.clone();
            line.row = serial.row;
            let kept = cut(&serial.text, self.limits.field_bytes);
            if kept.len() < serial.text.len() {
                line.faults.push((Field::Serial, CellFault::TooLarge));
            }
            line.set(Field::Serial, kept);
            self.ready.push(line);
        }
    }

    /// The value of the best place; of equally good ones the nearest.
    fn best<'v>(&'v self, slot: usize, nearest: &'v Level) -> Option<&'v str> {
        let levels = std::iter::once(nearest).chain(self.levels.iter().rev());
        let values = levels.map(|level| &level[slot]).filter(|value| value.text.is_some());
        values.min_by_key(|value| value.rank).and_then(|value| value.text.as_deref())
    }
}

/// Shares the serials that stand before several quantities among those without their own: in order, if the amounts
/// come to just so many, else all to the first, where they disagree with its amount. What no quantity wants is left.
fn share(before: Vec<Serial>, waiting: &mut [Quantity]) -> Vec<Serial> {
    let known = waiting.iter().any(|quantity| quantity.kind.is_some());
    let mut takers: Vec<&mut Quantity> = waiting
        .iter_mut()
        .filter(|q| q.serials.all.is_empty() && q.kind != Some(QuantityKind::Stock))
        .filter(|q| q.kind.is_some() || !known)
        .collect();
    let amounts: Option<Vec<u64>> =
        takers.iter().map(|taker| parse_quantity(&taker.text).map(i64::unsigned_abs)).collect();
    let fitting = amounts.filter(|amounts| {
        amounts.iter().try_fold(0_u64, |sum, amount| sum.checked_add(*amount)) == Some(before.len() as u64)
    });
    match (fitting, takers.as_mut_slice()) {
        (_, []) => return before,
        (Some(amounts), takers) => {
            let mut serials = before.into_iter();
            for (taker, amount) in takers.iter_mut().zip(amounts) {
                taker.serials.all = serials.by_ref().take(usize::try_from(amount).unwrap_or(0)).collect();
            }
        }
        (None, [first, ..]) => first.serials.all = before,
    }
    Vec::new()
}

/// The day in a date of another format than day alone (102): with a time of day, or with a year of two digits.
fn day_of(text: &str, format: &[u8]) -> Option<String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match format {
        b"203" | b"204" | b"205" if digits || format == b"205" => text.get(..8).map(str::to_owned),
        b"101" | b"201" | b"202" if digits => text.get(..6).map(|day| format!("20{day}")),
        _ => None,
    }
}

/// A count as a trailer says it.
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    (text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}
