//! CONTRL: the syntax and service report message, version 3 (or 4, where the interchange is of syntax version 4).

use roadstead_domain::clock::Micros;

use crate::edi::answer::{Answer, EnvelopeFault, Group, Interchange, Set, Why};
use crate::edi::control_number;
use crate::edi::scan::Delimiters;

/// This level and all below are rejected.
const REJECTED: &[u8] = b"4";
/// This level is acknowledged, and so is below what is not rejected by name.
const ACKNOWLEDGED: &[u8] = b"7";

/// Answers each interchange by one of its own, from its recipient to its sender, with its service characters, so that
/// what is copied from it needs no other release characters.
pub(crate) fn acknowledge(answer: &Answer, at: Micros) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, interchange) in (0..).zip(&answer.interchanges) {
        interchange_answer(&mut out, interchange, control_number(at, number), at);
    }
    out
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    delimiters: Delimiters,
    /// Segments written since the header of the message.
    segments: u64,
}

impl Writer<'_> {
    fn segment(&mut self, tag: &[u8], elements: &[&[u8]]) {
        self.out.extend(tag);
        let used = elements.iter().rposition(|element| !element.is_empty()).map_or(0, |last| last + 1);
        for element in &elements[..used] {
            self.out.push(self.delimiters.element);
            self.out.extend(*element);
        }
        self.out.push(self.delimiters.terminator);
        self.segments += 1;
    }

    /// Components as one element; they hold no service characters.
    fn composite(&self, components: &[&str]) -> Vec<u8> {
        components.join(char::from(self.delimiters.component).to_string().as_str()).into_bytes()
    }
}

fn interchange_answer(out: &mut Vec<u8>, interchange: &Interchange, control: u64, at: Micros) {
    let Delimiters { component, element, release, terminator } = interchange.delimiters;
    // An acknowledgement is never acknowledged.
    let answerable = |set: &Set| !set.kind.starts_with(b"CONTRL");
    let refused = !interchange.faults.is_empty();
    if !refused && !interchange.groups.iter().any(|group| group.sets.iter().any(answerable)) {
        return;
    }
    let time = at.timestamp();
    let control = control.to_string();
    let control = control.as_bytes();
    if element != 0x1d {
        out.extend([b'U', b'N', b'A', component, element, b'.', release.unwrap_or(b' '), b' ', terminator]);
    }
    let mut writer = Writer { out, delimiters: interchange.delimiters, segments: 0 };
    let syntax = interchange.element(1);
    let (sender, recipient) = (interchange.element(2), interchange.element(3));
    let now = [time.strftime("%y%m%d").to_string(), time.strftime("%H%M").to_string()];
    let now = writer.composite(&[&now[0], &now[1]]);
    writer.segment(b"UNB", &[syntax, recipient, sender, &now, control]);
    writer.segments = 0;
    let version: &[&str] = match syntax.ends_with(&[component, b'4']) {
        true => &["CONTRL", "4", "1", "UN"],
        false => &["CONTRL", "D", "3", "UN"],
    };
    let version = writer.composite(version);
    writer.segment(b"UNH", &[b"1", &version]);
    let (code, segment, place) =
        interchange.faults.first().map_or(NOTHING, |fault| interchange_error(*fault));
    let action = if refused { REJECTED } else { ACKNOWLEDGED };
    writer.segment(b"UCI", &[interchange.element(5), sender, recipient, action, code, segment, place]);
    // With the whole, all below is rejected.
    if !refused {
        for group in &interchange.groups {
            group_answer(&mut writer, group, answerable);
        }
    }
    let count = (writer.segments + 1).to_string();
    writer.segment(b"UNT", &[count.as_bytes(), b"1"]);
    writer.segment(b"UNZ", &[b"1", control]);
}

fn group_answer(writer: &mut Writer<'_>, group: &Group, answerable: impl Fn(&Set) -> bool) {
    let refused = !group.faults.is_empty();
    if !group.header.is_empty() {
        let (code, segment, place) = group.faults.first().map_or(NOTHING, |fault| group_error(*fault));
        let action = if refused { REJECTED } else { ACKNOWLEDGED };
        let (sender, recipient) = (group.element(2), group.element(3));
        writer.segment(b"UCF", &[group.element(5), sender, recipient, action, code, segment, place]);
    }
    if refused {
        return;
    }
    for set in group.sets.iter().filter(|set| answerable(set)) {
        let (code, segment, place) = set.faults.first().map_or(NOTHING, |fault| set_error(*fault));
        let action = if set.is_refused() { REJECTED } else { ACKNOWLEDGED };
        let place = place.to_vec();
        let place: Vec<u8> = place
            .into_iter()
            .map(|byte| if byte == b':' { writer.delimiters.component } else { byte })
            .collect();
        writer.segment(b"UCM", &[&set.reference, &set.kind, action, code, segment, &place]);
        for fault in &set.segments {
            let code: &[u8] = match fault.why {
                Why::Missing => b"13",
                Why::OutOfPlace => b"15",
                Why::CountDiffers => b"29",
                Why::TooMany => b"35",
            };
            writer.segment(b"UCS", &[fault.position.to_string().as_bytes(), code]);
        }
    }
}

/// Data element 0085, the service segment in error, and the place in it; the tag is the first.
type Fault = (&'static [u8], &'static [u8], &'static [u8]);

const NOTHING: Fault = (b"", b"", b"");

fn interchange_error(fault: EnvelopeFault) -> Fault {
    match fault {
        EnvelopeFault::NotSupported | EnvelopeFault::VersionNotSupported => (b"2", b"UNB", b"2"),
        EnvelopeFault::ReferenceMissing => (b"13", b"UNB", b"6"),
        EnvelopeFault::ReferenceRepeated => (b"26", b"UNB", b"6"),
        EnvelopeFault::TrailerMissing => (b"13", b"UNZ", b""),
        EnvelopeFault::ReferenceDiffers => (b"28", b"UNZ", b"3"),
        EnvelopeFault::CountDiffers => (b"29", b"UNZ", b"2"),
        EnvelopeFault::StrayContent => (b"33", b"", b""),
    }
}

fn group_error(fault: EnvelopeFault) -> Fault {
    match fault {
        EnvelopeFault::NotSupported | EnvelopeFault::VersionNotSupported => (b"17", b"UNG", b"2"),
        EnvelopeFault::ReferenceMissing => (b"13", b"UNG", b"6"),
        EnvelopeFault::ReferenceRepeated => (b"26", b"UNG", b"6"),
        EnvelopeFault::TrailerMissing => (b"13", b"UNE", b""),
        EnvelopeFault::ReferenceDiffers => (b"28", b"UNE", b"3"),
        EnvelopeFault::CountDiffers => (b"29", b"UNE", b"2"),
        EnvelopeFault::StrayContent => (b"33", b"", b""),
    }
}

fn set_error(fault: EnvelopeFault) -> Fault {
    match fault {
        EnvelopeFault::NotSupported => (b"17", b"UNH", b"3:1"),
        EnvelopeFault::VersionNotSupported => (b"17", b"UNH", b"3:3"),
        EnvelopeFault::ReferenceMissing => (b"13", b"UNH", b"2"),
        EnvelopeFault::ReferenceRepeated => (b"26", b"UNH", b"2"),
        EnvelopeFault::TrailerMissing => (b"13", b"UNT", b""),
        EnvelopeFault::ReferenceDiffers => (b"28", b"UNT", b"3"),
        EnvelopeFault::CountDiffers => (b"29", b"UNT", b"2"),
        EnvelopeFault::StrayContent => (b"33", b"", b""),
    }
}
