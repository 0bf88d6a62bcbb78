//! Files that go with messages of support cases. A file is looked at before anything is stored: its name, its size and
//! what is in it (`domain/attachment`).

use futures_util::Stream;
use roadstead_domain::access::{Denied, Scope};
use roadstead_domain::attachment::{self, MOST_BYTES, MOST_BYTES_OF_CASE, MOST_OF_CASE};
use roadstead_domain::ids::SupportCaseId;
use roadstead_store::Tx;
use roadstead_store::attachments::{self, Attachment, NewAttachment};
use uuid::Uuid;

use super::{Refused, support_cases};
use crate::app::App;
use crate::spool::{self, SpoolError, Spooled};

/// A file that may be sent, on its way to a case.
#[derive(Debug)]
pub struct Received {
    name: String,
    file: Spooled,
}

impl Received {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn refused(code: &'static str) -> Refused {
    Refused::invalid(code, "attachments")
}

/// Takes a file of this name, of which the sender says how large it is, if it says so.
pub async fn receive<B, E>(
    app: &App,
    name: &str,
    length: Option<u64>,
    pieces: impl Stream<Item = Result<B, E>> + Unpin,
) -> Result<Received, Refused>
where
    B: AsRef<[u8]>,
    E: std::fmt::Display,
{
    let kind = attachment::check_name(name).map_err(|fault| refused(fault.code()))?;
    if length.is_some_and(|length| length > MOST_BYTES) {
        return Err(refused("attachment.too_large"));
    }
    let spooled = format!("upload-{}", app.ambient.id::<Uuid>());
    let file = match spool::receive(&app.spool, &spooled, pieces, MOST_BYTES).await {
        Ok(file) => file,
        Err(SpoolError::TooLarge(_)) => return Err(refused("attachment.too_large")),
        Err(error) => return Err(Refused::Upload(error)),
    };
    let path = file.path().to_owned();
    let looked_at = tokio::task::spawn_blocking(move || {
        std::fs::read(path).map(|bytes| attachment::check_content(kind, &bytes))
    });
    let looked_at = looked_at.await.map_err(|error| Refused::Internal(error.into()))?;
    looked_at.map_err(|error| Refused::Internal(error.into()))?.map_err(|fault| refused(fault.code()))?;
    Ok(Received { name: name.to_owned(), file })
}

/// Keeps files with a message, in the caller's transaction of the platform, which has changed the case before: so of
/// two that come at once the second counts the first.
pub(super) async fn keep(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    case: SupportCaseId,
    message: Uuid,
    files: &[Received],
) -> Result<(), Refused> {
    if files.is_empty() {
        return Ok(());
    }
    let (mut count, mut bytes) = attachments::used(tx, platform, case).await?;
    count += i64::try_from(files.len()).unwrap_or(i64::MAX);
    bytes += files.iter().map(|received| i64::try_from(received.file.bytes).unwrap_or(i64::MAX)).sum::<i64>();
    if files.len() > attachment::MOST_OF_MESSAGE || count > MOST_OF_CASE || bytes > MOST_BYTES_OF_CASE {
        return Err(Refused::Conflict("attachment.too_many"));
    }
    let internal = |error: std::io::Error| Refused::Internal(error.into());
    for Received { name, file } in files {
        let id = app.ambient.id();
        let new = NewAttachment { id, case, message, name, bytes: file.bytes, sha256: file.sha256 };
        attachments::create(tx, platform, new).await?;
        let mut source = tokio::fs::File::open(file.path()).await.map_err(internal)?;
        for number in 0.. {
            let piece = spool::next_piece(&mut source).await.map_err(internal)?;
            if piece.is_empty() {
                break;
            }
            attachments::keep_piece(tx, platform, id, number, piece).await?;
        }
    }
    Ok(())
}

/// The file of a case, or *not found*; its bytes may be gone.
pub async fn found(app: &App, scope: &Scope, case: &str, id: &str) -> Result<Attachment, Refused> {
    let mut tx = app.store.read(scope).await?;
    let case = support_cases::found(&mut tx, scope, case).await?;
    let id: Uuid = id.parse().map_err(|_| Denied::NotFound)?;
    let found = attachments::find(&mut tx, scope, &case, id).await?.ok_or(Denied::NotFound)?;
    match found.forgotten_at {
        Some(_) => Err(Refused::Gone("attachment.forgotten")),
        None => Ok(found),
    }
}

/// The content type under which a file of this name is handed out.
pub fn content_type(name: &str) -> &'static str {
    // A name that is no longer taken: bytes, whatever they are.
    attachment::check_name(name).map_or("application/octet-stream", |kind| kind.content_type())
}
