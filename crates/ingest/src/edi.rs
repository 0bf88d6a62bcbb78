//! Reports as messages: X12 867 and EDIFACT SLSRPT.
//!
//! A file is read twice. The first time its envelopes are checked, each set is read as it will be, and what is wrong
//! is noted for the acknowledgement; the second time the sets that stand give their lines. Neither time is more held
//! than one segment, one line with its serials, and a few bytes a set.

pub(crate) mod answer;
mod gather;
mod map;
pub(crate) mod scan;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use roadstead_domain::clock::Micros;
use roadstead_domain::sale::ReceivedLine;
use serde::Deserialize;

pub use self::map::EdiMaps;
use crate::error::{FileError, FileErrorCode};
use crate::limits::Limits;
use crate::{Format, Layout, Source, edifact, text, x12};
use answer::{Answer, EnvelopeFault, Group, Interchange, Set};
use gather::Gather;
use scan::{Scanner, Segment};

/// The two ways to write a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Syntax {
    X12,
    Edifact,
}

/// Faults of one set that are noted; its sender mends the first ones first.
const FAULTS: usize = 10;

/// A 997 or a CONTRL that is still without its date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    syntax: Syntax,
    answer: Answer,
}

impl Acknowledgement {
    /// The file to send back. Its control numbers come from this instant, when the report was received.
    pub fn render(&self, at: Micros) -> Vec<u8> {
        match self.syntax {
            Syntax::X12 => x12::acknowledge(&self.answer, at),
            Syntax::Edifact => edifact::acknowledge(&self.answer, at),
        }
    }
}

/// What a first reading found of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sets {
    syntax: Syntax,
    refused: Vec<bool>,
}

pub(crate) fn inspect(
    syntax: Syntax,
    path: &Path,
    limits: &Limits,
    maps: &EdiMaps,
) -> Result<Layout, FileError> {
    refuse_others(syntax, path, limits)?;
    let mut counts = Vec::new();
    let mut answer = Answer::default();
    let read = walk(syntax, path, limits, maps, &mut answer, &mut |set, lines| {
        counts.resize(set + 1, 0);
        counts[set] += lines.len() as u64;
        ControlFlow::Continue(())
    });
    if let Err(mut error) = read {
        // Who sent it can be told so, if the file says who that is.
        if !answer.interchanges.is_empty() && error.code == FileErrorCode::Truncated {
            error.acknowledgement = Some(Box::new(Acknowledgement { syntax, answer }));
        }
        return Err(error);
    }
    let refused = answer.refused();
    if refused.is_empty() {
        return Err(FileError::new(FileErrorCode::Empty, "no transaction set or message"));
    }
    let lines = counts.iter().zip(&refused).filter(|(_, refused)| !**refused).map(|(lines, _)| lines).sum();
    let acknowledgement = Box::new(Acknowledgement { syntax, answer });
    if refused.iter().all(|refused| *refused) {
        let detail = format!("all of the {} sets or messages are refused", refused.len());
        let mut error = FileError::new(FileErrorCode::NothingAccepted, detail);
        error.row = acknowledgement.answer.first_wrong;
        error.acknowledgement = Some(acknowledgement);
        return Err(error);
    }
    let format = match syntax {
        Syntax::X12 => Format::X12,
        Syntax::Edifact => Format::Edifact,
    };
    Ok(Layout {
        format,
        lines,
        columns: Vec::new(),
        unknown_columns: Vec::new(),
        acknowledgement: Some(acknowledgement),
        source: Source::Edi(Sets { syntax, refused }),
    })
}

/// The syntax of a file that begins so.
pub(crate) fn syntax_of(head: &[u8]) -> Option<Syntax> {
    match head {
        head if x12::begins(head) => Some(Syntax::X12),
        head if edifact::begins(head) => Some(Syntax::Edifact),
        _ => None,
    }
}

/// Refuses a file that is of another kind by its beginning; one that only fails to be good is not.
fn refuse_others(syntax: Syntax, path: &Path, limits: &Limits) -> Result<(), FileError> {
    let mut scanner = Scanner::open(path, limits)?;
    if scanner.skip_padding()? {
        return Err(FileError::new(FileErrorCode::Empty, "nothing but blanks"));
    }
    let head = scanner.peek(512)?;
    let (ours, what) = match syntax {
        Syntax::X12 => (head.starts_with(b"ISA"), "X12"),
        Syntax::Edifact => (head.starts_with(b"UNA") || head.starts_with(b"UNB"), "EDIFACT"),
    };
    if ours {
        return Ok(());
    }
    let kind = text::looks_like(head);
    let detail = format!("no {what} interchange: it looks like {}", kind.unwrap_or("something else"));
    let error = FileError::new(FileErrorCode::WrongType, detail);
    // Of another kind is the file as a whole; else it is its first segment that is wrong.
    Err(if kind.is_some() { error } else { error.at_row(1) })
}

pub(crate) fn read(
    path: &Path,
    sets: &Sets,
    limits: &Limits,
    maps: &EdiMaps,
    each: &mut dyn FnMut(ReceivedLine) -> ControlFlow<()>,
) -> Result<(), FileError> {
    let mut number = 0;
    walk(sets.syntax, path, limits, maps, &mut Answer::default(), &mut |set, lines| {
        if sets.refused.get(set).is_none_or(|refused| *refused) {
            lines.clear();
        }
        for mut line in lines.drain(..) {
            number += 1;
            line.line = number;
            each(line)?;
        }
        ControlFlow::Continue(())
    })
}

/// What a segment is to the envelopes.
enum Role {
    InterchangeStart,
    GroupStart,
    SetStart,
    SetEnd,
    GroupEnd,
    InterchangeEnd,
    Content,
}

fn role(syntax: Syntax, tag: &[u8]) -> Role {
    match (syntax, tag) {
        (Syntax::X12, b"ISA") | (Syntax::Edifact, b"UNB" | b"UNA") => Role::InterchangeStart,
        (Syntax::X12, b"GS") | (Syntax::Edifact, b"UNG") => Role::GroupStart,
        (Syntax::X12, b"ST") | (Syntax::Edifact, b"UNH") => Role::SetStart,
        (Syntax::X12, b"SE") | (Syntax::Edifact, b"UNT") => Role::SetEnd,
        (Syntax::X12, b"GE") | (Syntax::Edifact, b"UNE") => Role::GroupEnd,
        (Syntax::X12, b"IEA") | (Syntax::Edifact, b"UNZ") => Role::InterchangeEnd,
        _ => Role::Content,
    }
}

/// Takes the lines that a segment completed, of the set with this number from 0.
type Taker<'a> = dyn FnMut(usize, &mut Vec<ReceivedLine>) -> ControlFlow<()> + 'a;

/// Reads a file from its first interchange to its end.
fn walk(
    syntax: Syntax,
    path: &Path,
    limits: &Limits,
    maps: &EdiMaps,
    answer: &mut Answer,
    taker: &mut Taker<'_>,
) -> Result<(), FileError> {
    let mut scanner = Scanner::open(path, limits)?;
    let (mut sets, mut lines) = (0, 0);
    loop {
        if scanner.skip_padding()? {
            return match answer.interchanges.is_empty() {
                true => Err(FileError::new(FileErrorCode::Empty, "no interchange")),
                false => Ok(()),
            };
        }
        let opened = match syntax {
            Syntax::X12 => x12::open(&mut scanner),
            Syntax::Edifact => edifact::open(&mut scanner),
        };
        let interchange = opened.map_err(|error| error.at_row(scanner.number + 1))?;
        let sender = match syntax {
            Syntax::X12 => interchange.element(6),
            Syntax::Edifact => edifact::party(&interchange, 2),
        };
        let map = maps.of(syntax, &String::from_utf8_lossy(sender));
        answer.interchanges.push(interchange);
        let Some(interchange) = answer.interchanges.last_mut() else { return Ok(()) };
        if interchange.is_wrong() {
            answer.first_wrong.get_or_insert(scanner.number);
        }
        let mut open = Open {
            syntax,
            interchange,
            gather: None,
            references: HashSet::new(),
            groups: HashSet::new(),
            in_group: false,
            in_set: false,
            position: 0,
        };
        loop {
            let more = scanner.advance();
            if !matches!(more, Ok(true)) {
                open.interchange.faults.push(EnvelopeFault::TrailerMissing);
            }
            if !more? {
                let detail = "the file ends within an interchange";
                return Err(FileError::new(FileErrorCode::Truncated, detail).at_row(scanner.number));
            }
            let segment = scanner.segment();
            open.position += 1;
            let role = role(syntax, segment.tag());
            match role {
                Role::InterchangeStart => {
                    open.interchange.faults.push(EnvelopeFault::TrailerMissing);
                    let detail = "an interchange begins within another";
                    return Err(FileError::new(FileErrorCode::Truncated, detail).at_row(segment.number));
                }
                Role::GroupStart => open.start_group(&segment),
                Role::SetStart => {
                    sets += 1;
                    if sets > limits.sets {
                        let detail = format!("more than {} transaction sets or messages", limits.sets);
                        return Err(FileError::new(FileErrorCode::TooLarge, detail).at_row(segment.number));
                    }
                    open.start_set(&segment);
                    open.gather = open.reads().then(|| Gather::new(syntax, &map, limits));
                }
                Role::SetEnd => open.end_set(&segment),
                Role::GroupEnd => open.end_group(&segment),
                Role::InterchangeEnd => open.end_interchange(&segment),
                Role::Content => open.content(&segment),
            }
            if answer.first_wrong.is_none() && open.interchange.is_wrong() {
                answer.first_wrong = Some(segment.number);
            }
            if let Some(gather) = &mut open.gather
                && !gather.ready.is_empty()
            {
                lines += gather.ready.len() as u64;
                if lines > limits.lines {
                    let detail = format!("more than {} lines", limits.lines);
                    return Err(FileError::new(FileErrorCode::TooManyLines, detail).at_row(segment.number));
                }
                if taker(sets - 1, &mut gather.ready).is_break() {
                    return Ok(());
                }
                gather.ready.clear();
            }
            if !open.in_set {
                open.gather = None;
            }
            if matches!(role, Role::InterchangeEnd) {
                break;
            }
        }
    }
}

/// An interchange that is being read.
struct Open<'a> {
    syntax: Syntax,
    interchange: &'a mut Interchange,
    /// Reads the set that is open, unless it is none for us.
    gather: Option<Gather<'a>>,
    /// References of the sets of this group, and of the groups.
    references: HashSet<Box<[u8]>>,
    groups: HashSet<Box<[u8]>>,
    in_group: bool,
    in_set: bool,
    /// The position in the set, its header being 1.
    position: u64,
}

impl Open<'_> {
    fn group(&mut self) -> Option<&mut Group> {
        self.interchange.groups.last_mut()
    }

    fn set(&mut self) -> Option<&mut Set> {
        self.group().and_then(|group| group.sets.last_mut())
    }

    fn stray(&mut self) {
        if !self.interchange.faults.contains(&EnvelopeFault::StrayContent) {
            self.interchange.faults.push(EnvelopeFault::StrayContent);
        }
    }

    /// Whether the set that was just begun is of a kind that we read.
    fn reads(&mut self) -> bool {
        let group_is_ours = self.group().is_some_and(|group| group.faults.is_empty());
        group_is_ours && self.set().is_some_and(|set| !set.is_refused())
    }

    fn start_group(&mut self, segment: &Segment<'_>) {
        self.leave_set(segment);
        self.leave_group();
        let reference = match self.syntax {
            Syntax::X12 => 6,
            Syntax::Edifact => 5,
        };
        let mut group = Group::new(elements(segment));
        if segment.element(reference).is_empty() {
            group.faults.push(EnvelopeFault::ReferenceMissing);
        } else if !self.groups.insert(segment.element(reference).into()) {
            group.faults.push(EnvelopeFault::ReferenceRepeated);
        }
        if self.syntax == Syntax::X12 {
            group.faults.extend(x12::group_fault(segment));
        }
        self.interchange.groups.push(group);
        self.references.clear();
        self.in_group = true;
    }

    fn start_set(&mut self, segment: &Segment<'_>) {
        self.leave_set(segment);
        if !self.in_group {
            // Messages may stand in the interchange itself, unless groups do.
            let among_groups = self.group().is_some_and(|group| !group.header.is_empty());
            if self.syntax == Syntax::X12 || among_groups {
                self.stray();
            }
            if self.group().is_none() {
                self.interchange.groups.push(Group::new(Vec::new()));
            }
        }
        let (kind, reference, fault) = match self.syntax {
            Syntax::X12 => (segment.element(1), segment.element(2), x12::set_fault(segment)),
            Syntax::Edifact => (segment.element(2), segment.element(1), edifact::set_fault(segment)),
        };
        let mut set =
            Set { kind: kind.into(), reference: reference.into(), faults: Vec::new(), segments: Vec::new() };
        set.faults.extend(fault);
        if reference.is_empty() {
            set.faults.push(EnvelopeFault::ReferenceMissing);
        } else if !self.references.insert(reference.into()) {
            set.faults.push(EnvelopeFault::ReferenceRepeated);
        }
        if let Some(group) = self.group() {
            group.sets.push(set);
        }
        self.in_set = true;
        self.position = 1;
    }

    fn content(&mut self, segment: &Segment<'_>) {
        if !self.in_set {
            // Answers to our own interchanges may travel before the groups.
            if self.syntax == Syntax::Edifact || self.in_group || segment.tag() != b"TA1" {
                self.stray();
            }
            return;
        }
        let position = self.position;
        if let Some(gather) = &mut self.gather
            && let Err(fault) = gather.take(segment, position)
            && let Some(set) = self.set()
            && set.segments.len() < FAULTS
        {
            set.segments.push(fault);
        }
    }

    fn end_set(&mut self, segment: &Segment<'_>) {
        if !self.in_set {
            return self.stray();
        }
        self.in_set = false;
        if let Some(gather) = &mut self.gather {
            gather.end(segment);
        }
        let position = self.position;
        let Some(set) = self.set() else { return };
        // What is not for us is not counted either.
        if set.faults.iter().any(|fault| matches!(fault, EnvelopeFault::NotSupported)) {
            return;
        }
        if gather::number(segment.element(1)) != Some(position) {
            set.faults.push(EnvelopeFault::CountDiffers);
        }
        if *segment.element(2) != *set.reference {
            set.faults.push(EnvelopeFault::ReferenceDiffers);
        }
    }

    /// Something else begins or ends while a set is open.
    fn leave_set(&mut self, segment: &Segment<'_>) {
        if self.in_set {
            self.in_set = false;
            if let Some(gather) = &mut self.gather {
                gather.end(segment);
            }
            if let Some(set) = self.set() {
                set.faults.push(EnvelopeFault::TrailerMissing);
            }
        }
    }

    fn leave_group(&mut self) {
        if self.in_group {
            self.in_group = false;
            if let Some(group) = self.group() {
                group.faults.push(EnvelopeFault::TrailerMissing);
                group.declared = group.sets.len() as u64;
            }
        }
    }

    fn end_group(&mut self, segment: &Segment<'_>) {
        self.leave_set(segment);
        if !self.in_group {
            return self.stray();
        }
        self.in_group = false;
        let reference = match self.syntax {
            Syntax::X12 => 6,
            Syntax::Edifact => 5,
        };
        let Some(group) = self.group() else { return };
        let declared = gather::number(segment.element(1));
        if declared != Some(group.sets.len() as u64) {
            group.faults.push(EnvelopeFault::CountDiffers);
        }
        group.declared = declared.unwrap_or(0);
        if segment.element(2) != group.element(reference) {
            group.faults.push(EnvelopeFault::ReferenceDiffers);
        }
    }

    fn end_interchange(&mut self, segment: &Segment<'_>) {
        self.leave_set(segment);
        self.leave_group();
        let (reference, count) = match self.syntax {
            Syntax::X12 => (13, self.interchange.groups.len()),
            Syntax::Edifact => (5, edifact::count(self.interchange)),
        };
        if gather::number(segment.element(1)) != Some(count as u64) {
            self.interchange.faults.push(EnvelopeFault::CountDiffers);
        }
        if segment.element(2) != self.interchange.element(reference) {
            self.interchange.faults.push(EnvelopeFault::ReferenceDiffers);
        }
    }
}

/// The control number of an answer: it rises with the time, and comes again after three years at the earliest.
pub(crate) fn control_number(at: Micros, interchange: u64) -> u64 {
    let tenths = u64::try_from(at.0 / 100_000).unwrap_or(0);
    tenths.wrapping_add(interchange) % 999_999_999 + 1
}

pub(crate) fn elements(segment: &Segment<'_>) -> Vec<Box<[u8]>> {
    (1..=segment.elements()).map(|number| segment.element(number).into()).collect()
}
