//! The 997 (Functional Acknowledgment), and the TA1 of an interchange that asks for it or fails as a whole.

use roadstead_domain::clock::Micros;

use crate::edi::answer::{Answer, EnvelopeFault, Group, Interchange, Set, Why};
use crate::edi::control_number;

/// Answers each interchange by one of its own, from its receiver to its sender, with its delimiters.
pub(crate) fn acknowledge(answer: &Answer, at: Micros) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, interchange) in (0..).zip(&answer.interchanges) {
        interchange_answer(&mut out, interchange, control_number(at, number), at);
    }
    out
}

/// Writes segments with the delimiters of the interchange that is answered.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    element: u8,
    terminator: u8,
    /// Segments written since the header of the set.
    segments: u64,
}

impl Writer<'_> {
    fn segment(&mut self, tag: &[u8], elements: &[&[u8]]) {
        self.out.extend(tag);
        // What is empty at the end is left out.
        let used = elements.iter().rposition(|element| !element.is_empty()).map_or(0, |last| last + 1);
        for element in &elements[..used] {
            self.out.push(self.element);
            self.out.extend(*element);
        }
        self.out.push(self.terminator);
        self.segments += 1;
    }
}

fn interchange_answer(out: &mut Vec<u8>, interchange: &Interchange, control: u64, at: Micros) {
    let refused = !interchange.faults.is_empty();
    // An acknowledgement is never acknowledged.
    let answerable = |group: &&Group| group.element(1) != b"FA";
    let groups: Vec<&Group> = match refused {
        true => Vec::new(),
        false => interchange.groups.iter().filter(answerable).collect(),
    };
    if groups.is_empty() && !refused {
        return;
    }
    let time = at.timestamp();
    let (day, minute) = (time.strftime("%y%m%d").to_string(), time.strftime("%H%M").to_string());
    let control = format!("{control:09}");
    let component = [interchange.delimiters.component];
    let mut writer = Writer {
        out,
        element: interchange.delimiters.element,
        terminator: interchange.delimiters.terminator,
        segments: 0,
    };
    let blank: &[u8] = b"          ";
    writer.segment(
        b"ISA",
        &[
            b"00",
            blank,
            b"00",
            blank,
            interchange.element(7),
            interchange.element(8),
            interchange.element(5),
            interchange.element(6),
            day.as_bytes(),
            minute.as_bytes(),
            interchange.element(11),
            interchange.element(12),
            control.as_bytes(),
            b"0",
            interchange.element(15),
            &component,
        ],
    );
    if refused || interchange.element(14) == b"1" {
        let (code, note) = interchange_note(interchange);
        let theirs = [interchange.element(13), interchange.element(9), interchange.element(10), code, note];
        writer.segment(b"TA1", &theirs);
    }
    let full_day = time.strftime("%Y%m%d").to_string();
    for (number, group) in (1_u64..).zip(&groups) {
        let release = match group.element(8) {
            release if release.starts_with(b"00") => release.get(..6).unwrap_or(b"004010"),
            _ => b"004010",
        };
        let number = number.to_string();
        let head: [&[u8]; 8] = [
            b"FA",
            group.element(3),
            group.element(2),
            full_day.as_bytes(),
            minute.as_bytes(),
            number.as_bytes(),
            b"X",
            release,
        ];
        writer.segment(b"GS", &head);
        group_answer(&mut writer, group);
        writer.segment(b"GE", &[b"1", number.as_bytes()]);
    }
    writer.segment(b"IEA", &[groups.len().to_string().as_bytes(), control.as_bytes()]);
}

fn group_answer(writer: &mut Writer<'_>, group: &Group) {
    writer.segments = 0;
    writer.segment(b"ST", &[b"997", b"0001"]);
    writer.segment(b"AK1", &[group.element(1), group.element(6)]);
    let refused = !group.faults.is_empty();
    // Where the whole group is refused, sets are named only for what is wrong with themselves.
    for set in group.sets.iter().filter(|set| !refused || set.is_refused()) {
        writer.segment(b"AK2", &[&set.kind, &set.reference]);
        for fault in &set.segments {
            let code: &[u8] = match fault.why {
                Why::Missing => b"3",
                Why::TooMany => b"5",
                Why::OutOfPlace => b"7",
                Why::CountDiffers => b"8",
            };
            writer.segment(b"AK3", &[&fault.tag, fault.position.to_string().as_bytes(), b"", code]);
        }
        let codes = set_codes(set);
        let mut elements: Vec<&[u8]> = vec![if codes.is_empty() { b"A" } else { b"R" }];
        elements.extend(codes);
        writer.segment(b"AK5", &elements);
    }
    let received = group.sets.len();
    let accepted = match refused {
        true => 0,
        false => group.sets.iter().filter(|set| !set.is_refused()).count(),
    };
    let code: &[u8] = match accepted {
        _ if refused => b"R",
        accepted if accepted == received => b"A",
        0 => b"R",
        _ => b"P",
    };
    let counts = [group.declared.to_string(), received.to_string(), accepted.to_string()];
    let mut elements = vec![code];
    elements.extend(counts.iter().map(String::as_bytes));
    elements.extend(distinct(group.faults.iter().map(|fault| group_code(*fault))));
    writer.segment(b"AK9", &elements);
    let count = (writer.segments + 1).to_string();
    writer.segment(b"SE", &[count.as_bytes(), b"0001"]);
}

/// Data element 718.
fn set_codes(set: &Set) -> Vec<&'static [u8]> {
    let code = |fault: &EnvelopeFault| -> &'static [u8] {
        match fault {
            EnvelopeFault::NotSupported if set.kind.is_empty() => b"6",
            EnvelopeFault::NotSupported | EnvelopeFault::VersionNotSupported => b"1",
            EnvelopeFault::TrailerMissing => b"2",
            EnvelopeFault::ReferenceDiffers => b"3",
            EnvelopeFault::CountDiffers => b"4",
            EnvelopeFault::StrayContent => b"5",
            EnvelopeFault::ReferenceMissing => b"7",
            EnvelopeFault::ReferenceRepeated => b"23",
        }
    };
    let segments = (!set.segments.is_empty()).then_some(&b"5"[..]);
    distinct(set.faults.iter().map(code).chain(segments))
}

/// Data element 716.
fn group_code(fault: EnvelopeFault) -> &'static [u8] {
    match fault {
        EnvelopeFault::NotSupported => b"1",
        EnvelopeFault::VersionNotSupported => b"2",
        EnvelopeFault::TrailerMissing | EnvelopeFault::StrayContent => b"3",
        EnvelopeFault::ReferenceDiffers => b"4",
        EnvelopeFault::CountDiffers => b"5",
        EnvelopeFault::ReferenceMissing => b"6",
        EnvelopeFault::ReferenceRepeated => b"19",
    }
}

/// TA104 and TA105.
fn interchange_note(interchange: &Interchange) -> (&'static [u8], &'static [u8]) {
    match interchange.faults.first() {
        None => (b"A", b"000"),
        Some(EnvelopeFault::ReferenceDiffers) => (b"R", b"001"),
        Some(EnvelopeFault::CountDiffers) => (b"R", b"021"),
        Some(EnvelopeFault::TrailerMissing) => (b"R", b"023"),
        Some(EnvelopeFault::StrayContent) => (b"R", b"024"),
        Some(_) => (b"R", b"022"),
    }
}

/// Each code once; a trailer has room for five.
fn distinct(codes: impl Iterator<Item = &'static [u8]>) -> Vec<&'static [u8]> {
    let mut found: Vec<&'static [u8]> = Vec::new();
    for code in codes {
        if !found.contains(&code) && found.len() < 5 {
            found.push(code);
        }
    }
    found
}
