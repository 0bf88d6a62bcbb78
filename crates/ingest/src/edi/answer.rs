//! What the envelopes of a file came to: what a 997 or a CONTRL tells the sender.

use super::scan::Delimiters;

/// Why a segment is wrong where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It may not stand here.
    OutOfPlace,
    /// It had to stand here.
    Missing,
    /// There are more of it than there may be.
    TooMany,
    /// The count in it is not what was counted.
    CountDiffers,
}

/// A wrong segment of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentFault {
    pub(crate) tag: Box<[u8]>,
    /// 1 for the header of the set.
    pub(crate) position: u64,
    pub(crate) why: Why,
}

/// What is wrong with an envelope: an interchange, a group or a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnvelopeFault {
    /// Another kind than we read.
    NotSupported,
    /// The right kind in a version that we do not read.
    VersionNotSupported,
    /// Its header has no reference.
    ReferenceMissing,
    /// Another one beside it has the same reference.
    ReferenceRepeated,
    /// It ends without its trailer.
    TrailerMissing,
    /// The reference in the trailer is not that of the header.
    ReferenceDiffers,
    /// The count in the trailer is not what was counted.
    CountDiffers,
    /// Segments that belong into none of its parts.
    StrayContent,
}

/// A transaction set or message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    /// ST01, or the message identifier of UNH, as it stands.
    pub(crate) kind: Box<[u8]>,
    pub(crate) reference: Box<[u8]>,
    pub(crate) faults: Vec<EnvelopeFault>,
    pub(crate) segments: Vec<SegmentFault>,
}

impl Set {
    pub(crate) fn is_refused(&self) -> bool {
        !self.faults.is_empty() || !self.segments.is_empty()
    }
}

/// A functional group; EDIFACT mostly has none, then it stands for the interchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// The elements of GS or UNG as they stand, the first at 0; empty where there is no group.
    pub(crate) header: Vec<Box<[u8]>>,
    /// How many sets its trailer counts.
    pub(crate) declared: u64,
    pub(crate) faults: Vec<EnvelopeFault>,
    pub(crate) sets: Vec<Set>,
}

/// An interchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interchange {
    pub(crate) delimiters: Delimiters,
    /// The elements of ISA or UNB as they stand, the first at 0.
    pub(crate) header: Vec<Box<[u8]>>,
    pub(crate) faults: Vec<EnvelopeFault>,
    pub(crate) groups: Vec<Group>,
}

/// What each envelope of a file came to, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) interchanges: Vec<Interchange>,
    /// The number in the file of the segment at which the first thing was found wrong.
    pub(crate) first_wrong: Option<u64>,
}

impl Answer {
    /// For each set in file order, whether it is refused, by itself or by what it stands in.
    pub(crate) fn refused(&self) -> Vec<bool> {
        let groups = self.interchanges.iter().flat_map(|interchange| {
            interchange.groups.iter().map(|group| {
                (!interchange.faults.is_empty() || !group.faults.is_empty(), group.sets.as_slice())
            })
        });
        groups.flat_map(|(all, sets)| sets.iter().map(move |set| all || set.is_refused())).collect()
    }
}

impl Group {
    pub(crate) fn new(header: Vec<Box<[u8]>>) -> Self {
        Self { header, declared: 0, faults: Vec::new(), sets: Vec::new() }
    }

    /// An element of the header, counted from 1.
    pub(crate) fn element(&self, number: usize) -> &[u8] {
        self.header.get(number - 1).map_or(b"", |element| element)
    }
}

impl Interchange {
    /// Whether anything was found wrong with it, or with the part of it that was read last.
    pub(crate) fn is_wrong(&self) -> bool {
        let group = self.groups.last();
        let set = group.and_then(|group| group.sets.last());
        !self.faults.is_empty()
            || group.is_some_and(|group| !group.faults.is_empty())
            || set.is_some_and(Set::is_refused)
    }

    /// An element of the header, counted from 1.
    pub(crate) fn element(&self, number: usize) -> &[u8] {
        self.header.get(number - 1).map_or(b"", |element| element)
    }
}
