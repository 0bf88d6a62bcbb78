//! What the sheets of a workbook share: their names, the strings and the formats of numbers.

use std::collections::HashMap;
use std::path::Path;

use quick_xml::events::Event;

use super::number::Shown;
use super::package::{Package, attribute, referenced};
use crate::error::{FileError, FileErrorCode};
use crate::limits::Limits;

/// Spreadsheets allow 65,490 formats; what is beyond shows as General.
const FORMATS: usize = 65_536;
/// Strings stay in memory, so they get a limit of their own: 200,000 rows of distinct text need a third of it.
const STRINGS_BYTES: usize = 256 << 20;

/// A workbook whose sheets can be read.
pub(super) struct Workbook {
    pub(super) package: Package,
    pub(super) strings: Strings,
    pub(super) formats: Vec<Shown>,
    /// Days count from 1904 instead of 1900.
    pub(super) from_1904: bool,
    /// The parts of the visible worksheets, in their order.
    pub(super) sheets: Vec<String>,
}

impl Workbook {
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, FileError> {
        let mut package = Package::open(path, limits)?;
        let Some(main) = relations(&mut package, "_rels/.rels", "")?
            .into_values()
            .find(|relation| relation.kind == "officeDocument")
        else {
            return Err(no_workbook(&package));
        };
        let (folder, name) = main.target.rsplit_once('/').unwrap_or(("", &main.target));
        let related = relations(&mut package, &format!("{folder}/_rels/{name}.rels"), folder)?;
        let mut workbook = Self {
            package,
            strings: Strings::default(),
            formats: Vec::new(),
            from_1904: false,
            sheets: Vec::new(),
        };
        workbook.read_main(&main.target, &related)?;
        let of_kind = |kind: &str| related.values().find(|relation| relation.kind == kind);
        if let Some(styles) = of_kind("styles") {
            workbook.formats = formats(&mut workbook.package, &styles.target)?;
        }
        if let Some(strings) = of_kind("sharedStrings") {
            workbook.strings = Strings::read(&mut workbook.package, &strings.target, limits)?;
        }
        Ok(workbook)
    }

    fn read_main(&mut self, part: &str, related: &HashMap<String, Relation>) -> Result<(), FileError> {
        let unfit = |root: &str| FileError::new(FileErrorCode::WrongType, format!("{part} holds a {root}"));
        if part.ends_with(".bin") {
            return Err(unfit("binary workbook"));
        }
        let Some(mut xml) = self.package.part(part)? else { return Err(missing(part)) };
        let mut root = true;
        loop {
            match xml.next()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "workbook" => root = false,
                    other if root => return Err(unfit(crate::cut(other, 60))),
                    "workbookPr" => {
                        // The extension of the same name has no such attribute and must not undo it.
                        if let Some(value) = attribute(&element, "date1904") {
                            self.from_1904 = matches!(value.as_str(), "1" | "true");
                        }
                    }
                    "sheet" if attribute(&element, "state").is_none_or(|state| state == "visible") => {
                        let relation = attribute(&element, "id").and_then(|id| related.get(&id));
                        if let Some(relation) = relation.filter(|relation| relation.kind == "worksheet") {
                            self.sheets.push(relation.target.clone());
                        }
                    }
                    _ => {}
                },
                Event::Eof if root => return Err(unfit("part without a root")),
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }
}

fn missing(part: &str) -> FileError {
    FileError::new(FileErrorCode::Unreadable, format!("part {} is missing", crate::cut(part, 200)))
}

fn no_workbook(package: &Package) -> FileError {
    let kind = match package.names().any(|name| name == "content.xml") {
        true => "an OpenDocument file",
        false => "a ZIP archive without a workbook",
    };
    FileError::new(FileErrorCode::WrongType, format!("it looks like {kind}"))
}

/// Where a part leads.
struct Relation {
    /// The last word of the type's address, which two editions of the standard spell differently before it.
    kind: String,
    target: String,
}

/// The relations in this part, by id; none if there is no such part. Targets count from `folder`.
fn relations(
    package: &mut Package,
    part: &str,
    folder: &str,
) -> Result<HashMap<String, Relation>, FileError> {
    let mut relations = HashMap::new();
    let Some(mut xml) = package.part(part.trim_start_matches('/'))? else { return Ok(relations) };
    loop {
        match xml.next()? {
            Event::Start(element) if element.local_name().as_ref() == "Relationship" => {
                let found =
                    (attribute(&element, "Id"), attribute(&element, "Type"), attribute(&element, "Target"));
                if let (Some(id), Some(kind), Some(target)) = found {
                    let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                    relations.insert(id, Relation { kind, target: resolve(folder, &target) });
                }
            }
            Event::Eof => return Ok(relations),
            _ => {}
        }
    }
}

fn resolve(folder: &str, target: &str) -> String {
    let base = if target.starts_with('/') { "" } else { folder };
    let mut path: Vec<&str> = Vec::new();
    for step in base.split('/').chain(target.split('/')) {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            _ => path.push(step),
        }
    }
    path.join("/")
}

/// How each style shows a number.
fn formats(package: &mut Package, part: &str) -> Result<Vec<Shown>, FileError> {
    let mut codes: HashMap<u32, String> = HashMap::new();
    let mut ids: Vec<u32> = Vec::new();
    let mut in_cells = false;
    let Some(mut xml) = package.part(part)? else { return Err(missing(part)) };
    loop {
        match xml.next()? {
            Event::Start(element) => {
                let id = || attribute(&element, "numFmtId").and_then(|id| id.parse().ok());
                match element.local_name().as_ref() {
                    "cellXfs" => in_cells = true,
                    "xf" if in_cells && ids.len() < FORMATS => ids.push(id().unwrap_or(0)),
                    "numFmt" if codes.len() < FORMATS => {
                        if let (Some(id), Some(code)) = (id(), attribute(&element, "formatCode")) {
                            codes.insert(id, crate::cut(&code, 1024).to_owned());
                        }
                    }
                    _ => {}
                }
            }
            Event::End(element) if element.local_name().as_ref() == "cellXfs" => in_cells = false,
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(ids
        .iter()
        .map(|id| codes.get(id).map_or_else(|| Shown::of_builtin(*id), |code| Shown::of_code(code)))
        .collect())
}

/// The strings that cells refer to by number, in one piece.
#[derive(Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    fn read(package: &mut Package, part: &str, limits: &Limits) -> Result<Self, FileError> {
        let mut strings = Self::default();
        let Some(mut xml) = package.part(part)? else { return Err(missing(part)) };
        let mut start = 0;
        let mut in_text = false;
        let mut phonetic = false;
        loop {
            match xml.next()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "t" => in_text = !phonetic,
                    "rPh" => phonetic = true,
                    _ => {}
                },
                Event::End(element) => match element.local_name().as_ref() {
                    "t" => in_text = false,
                    "rPh" => phonetic = false,
                    "si" => {
                        strings.ends.push(strings.text.len());
                        start = strings.text.len();
                    }
                    _ => {}
                },
                Event::Text(text) if in_text => {
                    append(&mut strings.text, start, &text.xml10_content(), limits.field_bytes);
                }
                Event::CData(text) if in_text => {
                    append(&mut strings.text, start, &text.xml10_content(), limits.field_bytes);
                }
                Event::GeneralRef(reference) if in_text => {
                    append(&mut strings.text, start, &referenced(&reference)?, limits.field_bytes);
                }
                Event::Eof => return Ok(strings),
                _ => {}
            }
            if strings.text.len() + strings.ends.len() * size_of::<usize>() > STRINGS_BYTES {
                let detail = format!("part {part}: more than {STRINGS_BYTES} bytes of strings");
                return Err(FileError::new(FileErrorCode::TooLarge, detail));
            }
        }
    }
}

/// Lengthens the text that starts at `start`, but no further than needed to see that it exceeds the limit.
pub(super) fn append(text: &mut String, start: usize, more: &str, limit: usize) {
    let room = limit.saturating_add(4).saturating_sub(text.len() - start);
    text.push_str(crate::cut(more, room));
}
