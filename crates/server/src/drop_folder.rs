//! Files that are put into a folder: the way in for senders that no person attends to. docs/operating.md says how to
//! lay it out and how to open it by SFTP.
//!
//! ```text
//! DIR/D-1001/in        the sender D-1001 writes here
//! DIR/D-1001/answers   what each file came to
//! DIR/D-1001/archive   files that were taken
//! DIR/D-1001/error     files that were refused, each with its reason beside it
//! DIR/.work/D-1001     files that are being read, where no sender reaches them
//! ```
//!
//! A file is picked up by a rename, so by one reader only, once it has not changed for some seconds. What is in work when
//! the server stops is put back at the next start: the same bytes of the same reporter are the same report.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use roadstead_domain::access;
use roadstead_store::operations;
use roadstead_store::page::Page;
use roadstead_store::reports::{self, Report};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio_util::io::ReaderStream;
use tokio_util::sync::CancellationToken;

use crate::api::error_file;
use crate::app::App;
use crate::flows::submit_report::{Submission, Submitted, note_refusal, submit};
use crate::flows::withdraw_report::About;
use crate::http::Problem;
use crate::i18n::Lang;
use crate::spool;

/// Where files are put, and how long one must have lain still.
#[derive(Clone, Debug)]
pub struct DropFolder {
    /// Holds a folder for each reporter, called by its number.
    pub path: PathBuf,
    /// Seconds.
    pub still_seconds: u32,
}

/// Between two looks at the folders.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks at a report that is being judged.
const ASK: Duration = Duration::from_millis(300);
const WORK: &str = ".work";

/// The same in both languages: nobody knows which one the sender's people read.
const LANGUAGES: [Lang; 2] = [Lang::En, Lang::De];

/// What a look saw of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    bytes: u64,
    changed: Option<SystemTime>,
}

impl Shape {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self { bytes: metadata.len(), changed: metadata.modified().ok() }
    }
}

/// A file in some sender's `in`.
struct Seen {
    sender: OsString,
    name: OsString,
    shape: Shape,
}

/// Takes what is put into the folders until told to stop.
pub async fn watch(app: App, folder: DropFolder, stop: CancellationToken) {
    if let Err(error) = put_back_all(&folder.path) {
        tracing::error!(folder = %folder.path.display(), %error, "files in work could not be put back");
    }
    let mut still: HashMap<PathBuf, (Shape, u32)> = HashMap::new();
    let mut busy: HashSet<OsString> = HashSet::new();
    let mut senders: JoinSet<OsString> = JoinSet::new();
    loop {
        while let Some(done) = senders.try_join_next() {
            match done {
                Ok(sender) => {
                    busy.remove(&sender);
                }
                // Its folder stays busy, and the log says why: better than the same fault once a second.
                Err(error) => tracing::error!(%error, "a drop folder's reader died"),
            }
        }
        match look(&folder.path) {
            Ok(seen) => {
                let mut ripe: HashMap<OsString, Vec<Seen>> = HashMap::new();
                let mut now = HashMap::new();
                for file in seen {
                    let path = file_in(&folder.path, &file.sender, &file.name);
                    let looks = match still.get(&path) {
                        Some((shape, looks)) if *shape == file.shape => looks + 1,
                        _ => 0,
                    };
                    now.insert(path, (file.shape, looks));
                    if looks > folder.still_seconds && !busy.contains(&file.sender) {
                        ripe.entry(file.sender.clone()).or_default().push(file);
                    }
                }
                still = now;
                for (sender, mut files) in ripe {
                    // As they came: a return does not overtake its sale.
                    files.sort_by(|a, b| (a.shape.changed, &a.name).cmp(&(b.shape.changed, &b.name)));
                    busy.insert(sender.clone());
                    let (app, root, stop) = (app.clone(), folder.path.clone(), stop.clone());
                    senders.spawn(async move {
                        for file in files {
                            if stop.is_cancelled() {
                                break;
                            }
                            if let Err(error) = take(&app, &root, &file, &stop).await {
                                let (sender, name) = (file.sender.display(), file.name.display());
                                tracing::error!(%sender, %name, "a dropped file is left for later: {error:#}");
                                break;
                            }
                        }
                        sender
                    });
                }
            }
            Err(error) => {
                tracing::error!(folder = %folder.path.display(), %error, "the drop folder cannot be read")
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    while senders.join_next().await.is_some() {}
}

fn file_in(root: &Path, sender: &OsStr, name: &OsStr) -> PathBuf {
    root.join(sender).join("in").join(name)
}

/// Every file that could be taken. Links are none: a sender could point one at a file that only we may read.
fn look(root: &Path) -> io::Result<Vec<Seen>> {
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() || is_hidden(&entry.file_name()) {
            continue;
        }
        let sender = entry.file_name();
        for part in ["in", "answers", "archive", "error"] {
            std::fs::create_dir_all(entry.path().join(part))?;
        }
        for file in std::fs::read_dir(entry.path().join("in"))? {
            let file = file?;
            // It may be gone by now.
            let Ok(metadata) = std::fs::symlink_metadata(file.path()) else { continue };
            if metadata.is_file() && !is_unfinished(&file.file_name()) {
                seen.push(Seen {
                    sender: sender.clone(),
                    name: file.file_name(),
                    shape: Shape::of(&metadata),
                });
            }
        }
    }
    Ok(seen)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Names that programs give to files which they still write.
fn is_unfinished(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let endings = [".tmp", ".temp", ".part", ".partial", ".filepart", ".uploading", ".crdownload", "~"];
    name.starts_with('.') || endings.iter().any(|ending| name.ends_with(ending))
}

/// A path in this folder that nothing has yet.
fn free(folder: &Path, name: &str) -> PathBuf {
    let mut path = folder.join(name);
    for number in 1.. {
        if std::fs::symlink_metadata(&path).is_err() {
            break;
        }
        path = folder.join(format!("{name}.{number}"));
    }
    path
}

/// Gives back what a server that was stopped had in work.
fn put_back_all(root: &Path) -> io::Result<()> {
    std::fs::create_dir_all(root.join(WORK))?;
    for sender in std::fs::read_dir(root.join(WORK))? {
        let sender = sender?;
        for file in std::fs::read_dir(sender.path())? {
            let file = file?;
            if file.file_type()?.is_file() {
                put_back(root, &sender.file_name(), &file.path())?;
            }
        }
    }
    Ok(())
}

fn put_back(root: &Path, sender: &OsStr, file: &Path) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    std::fs::rename(file, free(&root.join(sender).join("in"), &name))
}

/// A file that is ours alone.
struct Work<'a> {
    root: &'a Path,
    sender: &'a OsStr,
    /// What the sender calls it.
    name: String,
    path: PathBuf,
    /// `20261128T161403Z`, before the names of what is kept.
    at: String,
}

impl Work<'_> {
    fn part(&self, part: &str) -> PathBuf {
        self.root.join(self.sender).join(part)
    }

    fn kept(&self) -> String {
        format!("{}-{}", self.at, self.name)
    }

    /// Writes a file that appears as a whole.
    fn write(&self, part: &str, ending: &str, bytes: &[u8]) -> io::Result<()> {
        let name = format!("{}.{ending}", self.kept());
        let unfinished = self.part(part).join(format!(".{name}"));
        std::fs::write(&unfinished, bytes)?;
        std::fs::rename(unfinished, self.part(part).join(name))
    }

    fn move_to(&self, part: &str) -> io::Result<()> {
        std::fs::rename(&self.path, free(&self.part(part), &self.kept()))
    }
}

/// Takes one file to its end.
async fn take(app: &App, root: &Path, file: &Seen, stop: &CancellationToken) -> anyhow::Result<()> {
    let work = root.join(WORK).join(&file.sender);
    std::fs::create_dir_all(&work)?;
    let name = file.name.to_string_lossy().into_owned();
    let path = free(&work, &name);
    match std::fs::rename(file_in(root, &file.sender, &file.name), &path) {
        Ok(()) => {}
        // Its sender, or another node, was quicker.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).context("it cannot be picked up"),
    }
    let at = app.ambient.now().timestamp().strftime("%Y%m%dT%H%M%SZ").to_string();
    let work = Work { root, sender: &file.sender, name, path, at };
    if !std::fs::symlink_metadata(&work.path)?.is_file() {
        // It was exchanged for something else since we looked.
        return std::fs::remove_file(&work.path).context("it is no file");
    }
    match hand_in(app, &work, file.shape).await {
        Ok(Some(submitted)) => answer(app, &work, submitted, stop).await,
        Ok(None) => Ok(put_back(root, &file.sender, &work.path)?),
        Err(problem) if problem.status.is_server_error() => {
            put_back(root, &file.sender, &work.path)?;
            anyhow::bail!("it could not be handed in: {}", problem.code)
        }
        Err(problem) => {
            let sender = file.sender.to_string_lossy();
            note_refusal(app, &access::system(), &sender, &work.name, problem.code).await?;
            refuse(&work, &problem).context("its refusal cannot be written")
        }
    }
}

/// `None` where its sender still writes to it.
async fn hand_in(app: &App, work: &Work<'_>, shape: Shape) -> Result<Option<Submitted>, Problem> {
    let source = tokio::fs::File::open(&work.path).await.map_err(spool::SpoolError::from)?;
    let spooled = format!("upload-{}", app.ambient.id::<uuid::Uuid>());
    let spooled =
        spool::receive(&app.spool, &spooled, ReaderStream::new(source), app.config.upload_bytes).await?;
    let now = std::fs::symlink_metadata(&work.path).map_err(spool::SpoolError::from)?;
    if Shape::of(&now) != shape {
        return Ok(None);
    }
    let format = roadstead_ingest::guess(spooled.path())?;
    let reporter = work.sender.to_string_lossy();
    let name: String = work.name.chars().filter(|c| !c.is_control()).take(200).collect();
    let submission = Submission {
        file: spooled,
        name: &name,
        format,
        reporter: Some(&reporter),
        validate_only: false,
        about: About::default(),
    };
    Ok(Some(submit(app, &access::system(), submission).await?))
}

/// Puts a refused file aside, with why.
fn refuse(work: &Work<'_>, problem: &Problem) -> io::Result<()> {
    tracing::warn!(sender = %work.sender.display(), name = work.name, code = problem.code, "a dropped file was refused");
    let mut text = format!("{}\n{}\n", work.name, problem.code);
    for lang in LANGUAGES {
        text += &format!(
            "\n{}\n{}\n{}\n",
            lang.text("drop-refused"),
            lang.code_text(problem.code),
            problem.detail(lang)
        );
        if let Some(found) = &problem.found {
            text += &format!("{}: {found}\n", lang.text("drop-found"));
        }
        if !problem.headers.is_empty() {
            text += &format!("{}: {}\n", lang.text("drop-columns"), problem.headers.join(" | "));
        }
    }
    work.write("error", "txt", text.as_bytes())?;
    if let Some(acknowledgement) = &problem.acknowledgement {
        let ending = if acknowledgement.starts_with("ISA") { "997.x12" } else { "contrl.edi" };
        work.write("error", ending, acknowledgement.as_bytes())?;
    }
    work.move_to("error")
}

/// Waits until the report is judged, then says what it came to.
async fn answer(
    app: &App,
    work: &Work<'_>,
    submitted: Submitted,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let scope = access::system();
    let report = loop {
        let mut tx = app.store.read(&scope).await?;
        let operation = operations::get(&mut tx, &scope, submitted.operation).await?;
        let report = reports::get(&mut tx, &scope, submitted.report).await?.context("the report is gone")?;
        tx.commit().await?;
        if operation.context("the operation is gone")?.state != "running" {
            break report;
        }
        tokio::select! {
            // The next start goes on here.
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(ASK) => {}
        }
    };
    let mut tx = app.store.read(&scope).await?;
    let counts = reports::counts(&mut tx, &scope, submitted.report).await?;
    let acknowledgement = reports::acknowledgement(&mut tx, &scope, submitted.report).await?;
    tx.commit().await?;
    let rejected = counts.keys().any(|verdict| verdict.starts_with("rejected"));
    if let Some(bytes) = acknowledgement {
        work.write("answers", if report.format == "x12" { "997.x12" } else { "contrl.edi" }, &bytes)?;
    }
    if rejected {
        write_errors(app, work, &report).await?;
    }
    let mut text = format!("{}\n{}/reports/{}\n", work.name, app.config.public_url, report.id);
    for lang in LANGUAGES {
        let said = if report.state == "failed" { "report-gave-up" } else { "drop-taken" };
        text += &format!("\n{}\n", lang.text(said));
        for (verdict, lines) in &counts {
            text += &format!("{lines:>9}  {} ({verdict})\n", lang.code_text(verdict));
        }
        if rejected {
            text += &format!("{}\n", lang.text("drop-rejected"));
        }
    }
    work.write("answers", "txt", text.as_bytes())?;
    Ok(work.move_to(if report.state == "failed" { "error" } else { "archive" })?)
}

/// The rejected lines as a file, to be mended and sent again.
async fn write_errors(app: &App, work: &Work<'_>, report: &Report) -> anyhow::Result<()> {
    let name = format!("{}.errors.csv", work.kept());
    let unfinished = work.part("answers").join(format!(".{name}"));
    let mut file = tokio::fs::File::create(&unfinished).await?;
    file.write_all(b"\xef\xbb\xbf").await?;
    file.write_all(&error_file::head()).await?;
    let mut page = Some(error_file::start());
    while let Some(next) = page.take() {
        let (rows, next): (Vec<u8>, Option<Page>) =
            error_file::rows(app, &access::system(), report.id.into(), Lang::En, &next)
                .await
                .map_err(|problem| anyhow::anyhow!(problem.code))?;
        file.write_all(&rows).await?;
        page = next;
    }
    file.flush().await?;
    Ok(tokio::fs::rename(unfinished, work.part("answers").join(name)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_still_written_are_told_by_their_names() {
        for (name, unfinished) in [
            ("report.csv", false),
            ("report.csv.part", true),
            ("REPORT.CSV.FILEPART", true),
            (".report.csv", true),
            ("report.csv~", true),
            ("partner.edi", false),
            ("temp", false),
        ] {
            assert_eq!(is_unfinished(OsStr::new(name)), unfinished, "{name}");
        }
    }

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::TempDir::new().unwrap();
        for expected in ["a.csv", "a.csv.1", "a.csv.2"] {
            let path = free(folder.path(), "a.csv");
            assert_eq!(path, folder.path().join(expected));
            std::fs::write(path, b"x").unwrap();
        }
    }
}
