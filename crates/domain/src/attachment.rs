//! Files that go with a message of a support case: what may be sent, under which names, and how much of it. A name that
//! pretends something is refused rather than mended, since somebody else is going to click on it. What is in a file is
//! looked at, too: a name is only a claim.

/// The most bytes of one file.
pub const MOST_BYTES: u64 = 10 << 20;
/// The most files of one message.
pub const MOST_OF_MESSAGE: usize = 5;
/// The most files of one case.
pub const MOST_OF_CASE: i64 = 20;
/// The most bytes of all files of one case.
pub const MOST_BYTES_OF_CASE: i64 = 50 << 20;
/// Days for which the files of a closed case are kept.
pub const KEPT_DAYS: i64 = 365;
/// The most characters of a name.
const LONGEST: usize = 120;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A document.
    Pdf,
    /// A picture.
    Png,
    /// A photo.
    Jpeg,
    /// Text in any of its kinds: notes, tables, messages.
    Text,
    /// A workbook without macros.
    Xlsx,
}

impl Kind {
    /// The content type under which it is handed out.
    pub fn content_type(self) -> &'static str {
        match self {
            Kind::Pdf => "application/pdf",
            Kind::Png => "image/png",
            Kind::Jpeg => "image/jpeg",
            Kind::Text => "text/plain",
            Kind::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "pdf" => Some(Kind::Pdf),
            "png" => Some(Kind::Png),
            "jpg" | "jpeg" => Some(Kind::Jpeg),
            "txt" | "csv" | "edi" | "x12" => Some(Kind::Text),
            "xlsx" => Some(Kind::Xlsx),
            _ => None,
        }
    }
}

/// The extensions that are taken, as a file chooser wants them.
pub const ACCEPTED: &str = ".pdf,.png,.jpg,.jpeg,.txt,.csv,.xlsx,.edi,.x12";

/// Why a file is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The name is empty, too long, has parts of a path, characters that cannot be seen or that turn the reading
    /// direction, or means something to an operating system.
    Name,
    /// An extension before the last one is that of a program, as in `invoice.exe.pdf`.
    HiddenProgram,
    /// The extension is not among those that are taken.
    Type,
    /// There is nothing in it.
    Empty,
    /// What is in it is not what the name says.
    Content,
    /// It is a workbook with macros or with something embedded.
    Active,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 6] =
        [Fault::Name, Fault::HiddenProgram, Fault::Type, Fault::Empty, Fault::Content, Fault::Active];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Fault::Name => "attachment.name",
            Fault::HiddenProgram => "attachment.hidden_program",
            Fault::Type => "attachment.type",
            Fault::Empty => "attachment.empty",
            Fault::Content => "attachment.content",
            Fault::Active => "attachment.active",
        }
    }
}

/// Extensions of what a computer runs, mounts or shows as a page. None of them is taken; as an inner part of a name they
/// are there to deceive.
const PROGRAMS: &[&str] = &[
    "ade",
    "adp",
    "apk",
    "app",
    "appx",
    "bash",
    "bat",
    "bin",
    "chm",
    "class",
    "cmd",
    "com",
    "command",
    "cpl",
    "dll",
    "deb",
    "dmg",
    "docm",
    "dotm",
    "elf",
    "exe",
    "hta",
    "htm",
    "html",
    "img",
    "inf",
    "iso",
    "jar",
    "js",
    "jse",
    "lnk",
    "mde",
    "mht",
    "msc",
    "msi",
    "msp",
    "mst",
    "one",
    "php",
    "pif",
    "pl",
    "ppam",
    "potm",
    "pptm",
    "ps1",
    "psm1",
    "py",
    "rb",
    "reg",
    "rpm",
    "run",
    "scf",
    "scr",
    "sct",
    "settingcontent-ms",
    "sh",
    "shtml",
    "svg",
    "swf",
    "sys",
    "url",
    "vb",
    "vbe",
    "vbs",
    "vhd",
    "vhdx",
    "ws",
    "wsc",
    "wsf",
    "wsh",
    "xhtml",
    "xht",
    "xlam",
    "xll",
    "xlsb",
    "xlsm",
    "xltm",
    "xml",
    "xsl",
];

/// Names that Windows takes for devices, whatever follows a dot.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Whether a character cannot be seen, or changes how those beside it are read.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Turns of the reading direction, marks of it, and joiners of no width.
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{00ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{3164}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
            // Separators of lines, and spaces that look like others or like nothing.
            | '\u{00a0}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
            // Dots and strokes that look like those of paths and extensions.
            | '\u{2024}' | '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff3c}' | '\u{fe52}')
}

/// What a file of this name is, or why it is not taken.
pub fn check_name(name: &str) -> Result<Kind, Fault> {
    let bad = |c: char| deceives(c) || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    if name.is_empty() || name.chars().count() > LONGEST || name.chars().any(bad) {
        return Err(Fault::Name);
    }
    if name.starts_with([' ', '.']) || name.ends_with([' ', '.']) || name.contains("..") {
        return Err(Fault::Name);
    }
    let lower = name.to_lowercase();
    let mut parts: Vec<&str> = lower.split('.').map(str::trim).collect();
    let (Some(extension), Some(stem)) = (parts.pop(), parts.first()) else { return Err(Fault::Type) };
    let port = |stem: &str| {
        ["com", "lpt"].iter().any(|kind| {
            stem.strip_prefix(kind).is_some_and(|rest| {
                let mut rest = rest.chars();
                rest.next().is_some_and(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'))
                    && rest.next().is_none()
            })
        })
    };
    if DEVICES.contains(stem) || port(stem) {
        return Err(Fault::Name);
    }
    let kind = Kind::of_extension(extension).ok_or(Fault::Type)?;
    if parts.iter().skip(1).any(|part| PROGRAMS.contains(part)) {
        return Err(Fault::HiddenProgram);
    }
    Ok(kind)
}

/// Whether a file's bytes are what its name says.
pub fn check_content(kind: Kind, bytes: &[u8]) -> Result<(), Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    let begins = |mark: &[u8]| bytes.starts_with(mark);
    match kind {
        Kind::Pdf if begins(b"%PDF-") => Ok(()),
        Kind::Png if begins(b"\x89PNG\r\n\x1a\n") => Ok(()),
        Kind::Jpeg if begins(b"\xff\xd8\xff") => Ok(()),
        Kind::Text if is_text(bytes) => Ok(()),
        Kind::Xlsx if begins(b"PK\x03\x04") => check_workbook(bytes),
        _ => Err(Fault::Content),
    }
}

/// UTF-8, a code page of one byte a character, or UTF-16 with its mark; without what no text has, and nothing that a
/// browser or a shell would take for its own.
fn is_text(bytes: &[u8]) -> bool {
    let plain = |c: u16| c >= 0x20 && c != 0x7f || matches!(c, 0x09 | 0x0a | 0x0c | 0x0d | 0x1c..=0x1f);
    let (wide, big): (&[u8], bool) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, false),
        [0xfe, 0xff, rest @ ..] => (rest, true),
        _ => (&[], false),
    };
    let unit = |two: &[u8]| {
        let two = [two[0], two[1]];
        if big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
    };
    let units: Vec<u16> = if wide.is_empty() {
        bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).iter().map(|byte| u16::from(*byte)).collect()
    } else {
        if wide.len() % 2 == 1 {
            return false;
        }
        wide.chunks_exact(2).map(unit).collect()
    };
    let begin: String =
        units.iter().take(64).map(|unit| char::from_u32(u32::from(*unit)).unwrap_or(' ')).collect();
    let begin = begin.trim_start().to_ascii_lowercase();
    let foreign =
        ["<!doctype", "<html", "<script", "<svg", "<?", "<head", "<body", "<iframe", "#!", "mz\u{90}"];
    units.iter().all(|unit| plain(*unit)) && !foreign.iter().any(|mark| begin.starts_with(mark))
}

/// A workbook's parts have their names in the open, whatever is compressed.
fn check_workbook(bytes: &[u8]) -> Result<(), Fault> {
    let has = |name: &[u8]| bytes.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name));
    if !has(b"[Content_Types].xml") || !has(b"xl/workbook.xml") {
        return Err(Fault::Content);
    }
    let active: [&[u8]; 5] =
        [b"vbaProject.bin", b"xl/embeddings/", b"xl/activeX/", b"xl/macrosheets/", b"xl/externalLinks/"];
    if active.iter().any(|name| has(name)) { Err(Fault::Active) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_table() {
        use Fault::{HiddenProgram, Name, Type};
        for (name, expected) in [
            ("Rechnung 2026-11.pdf", Ok(Kind::Pdf)),
            ("Lieferschein_Späth & Söhne (2).PDF", Ok(Kind::Pdf)),
            ("foto.jpeg", Ok(Kind::Jpeg)),
            ("liste.v2.csv", Ok(Kind::Text)),
            ("report.x12", Ok(Kind::Text)),
            ("Geräte.xlsx", Ok(Kind::Xlsx)),
            ("", Err(Name)),
            ("pdf", Err(Type)),
            (".pdf", Err(Name)),
            ("invoice.exe", Err(Type)),
            ("invoice.pdf.exe", Err(Type)),
            ("invoice.pdf.EXE", Err(Type)),
            ("invoice.exe.pdf", Err(HiddenProgram)),
            ("invoice.Js .pdf", Err(HiddenProgram)),
            ("invoice.pdf.lnk", Err(Type)),
            ("macro.xlsm", Err(Type)),
            ("page.html", Err(Type)),
            ("picture.svg", Err(Type)),
            ("archive.zip", Err(Type)),
            ("invoice.pdf ", Err(Name)),
            ("invoice.pdf.", Err(Name)),
            (" invoice.pdf", Err(Name)),
            ("../../etc/passwd.txt", Err(Name)),
            ("..pdf", Err(Name)),
            ("a..pdf", Err(Name)),
            ("C:\\temp\\invoice.pdf", Err(Name)),
            ("invoice.pdf:evil.exe", Err(Name)),
            ("folder/invoice.pdf", Err(Name)),
            ("in\u{0}voice.pdf", Err(Name)),
            ("in\r\nvoice.pdf", Err(Name)),
            // Reads as invoice-exe.pdf.
            ("invoice-\u{202e}fdp.exe", Err(Name)),
            ("invoice-\u{2066}x\u{2069}.pdf", Err(Name)),
            ("in\u{200b}voice.pdf", Err(Name)),
            ("invoice\u{ff0e}exe.pdf", Err(Name)),
            ("con.pdf", Err(Name)),
            ("LPT1.txt", Err(Name)),
            ("com².txt", Err(Name)),
            ("company.txt", Ok(Kind::Text)),
            ("a\"b.pdf", Err(Name)),
        ] {
            assert_eq!(check_name(name), expected, "{name:?}");
        }
        assert_eq!(check_name(&format!("{}.pdf", "x".repeat(116))), Ok(Kind::Pdf));
        assert_eq!(check_name(&format!("{}.pdf", "x".repeat(117))), Err(Name));
    }

    #[test]
    fn contents_by_table() {
        use Fault::{Active, Content, Empty};
        let workbook = b"PK\x03\x04..[Content_Types].xml..xl/workbook.xml..";
        for (kind, bytes, expected) in [
            (Kind::Pdf, &b"%PDF-1.7\n..."[..], Ok(())),
            (Kind::Pdf, b"", Err(Empty)),
            (Kind::Pdf, b"MZ\x90\x00", Err(Content)),
            (Kind::Pdf, b"<html>%PDF-1.7", Err(Content)),
            (Kind::Png, b"\x89PNG\r\n\x1a\n...", Ok(())),
            (Kind::Png, b"\xff\xd8\xff\xe0", Err(Content)),
            (Kind::Jpeg, b"\xff\xd8\xff\xe0", Ok(())),
            (Kind::Text, b"Serial;Seller\r\n5CG1;R-1\r\n", Ok(())),
            (Kind::Text, "Gerät\n".as_bytes(), Ok(())),
            (Kind::Text, b"Ger\xe4t\n", Ok(())),
            (Kind::Text, b"\xff\xfeG\x00e\x00\n\x00", Ok(())),
            (Kind::Text, b"\xfe\xff\x00G\x00e", Ok(())),
            (Kind::Text, b"\xff\xfeG\x00e", Err(Content)),
            (Kind::Text, b"ISA*00*~\x1d", Ok(())),
            (Kind::Text, b"MZ\x90\x00\x03", Err(Content)),
            (Kind::Text, b"\x7fELF", Err(Content)),
            (Kind::Text, b"  <!DOCTYPE html><script>", Err(Content)),
            (Kind::Text, b"\xef\xbb\xbf<script>alert(1)</script>", Err(Content)),
            (Kind::Text, b"#!/bin/sh\nrm", Err(Content)),
            (Kind::Xlsx, workbook, Ok(())),
            (Kind::Xlsx, b"PK\x03\x04word/document.xml", Err(Content)),
            (Kind::Xlsx, b"Serial;Seller", Err(Content)),
            (Kind::Xlsx, b"PK\x03\x04[Content_Types].xml xl/workbook.xml xl/vbaproject.bin", Err(Active)),
            (Kind::Xlsx, b"PK\x03\x04[Content_Types].xml xl/workbook.xml xl/embeddings/a.exe", Err(Active)),
        ] {
            assert_eq!(check_content(kind, bytes), expected, "{kind:?} {:?}", String::from_utf8_lossy(bytes));
        }
    }
}
