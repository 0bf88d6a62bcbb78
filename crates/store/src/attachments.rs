//! Files that go with messages of support cases: what they are called, and their bytes in pieces.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::SupportCaseId;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;
use crate::support_cases::SupportCase;

/// A file.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Attachment {
    /// Its id.
    pub id: Uuid,
    /// The message that it came with.
    pub message: Uuid,
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: i64,
    /// Since when its bytes are gone, in microseconds.
    pub forgotten_at: Option<i64>,
}

/// A file on its way in.
#[derive(Clone, Copy, Debug)]
pub struct NewAttachment<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its case.
    pub case: SupportCaseId,
    /// The message that it comes with.
    pub message: Uuid,
    /// Its name.
    pub name: &'a str,
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: [u8; 32],
}

/// Adds a file; its pieces follow.
pub async fn create(tx: &mut Tx, scope: &Scope, new: NewAttachment<'_>) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO support_attachments (id, support_case, message, name, bytes, sha256) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![new.id, new.case, new.message, new.name, new.bytes, new.sha256],
    )
    .await?;
    Ok(())
}

/// Keeps a piece of a file.
pub async fn keep_piece(
    tx: &mut Tx,
    scope: &Scope,
    attachment: Uuid,
    piece: i64,
    bytes: Vec<u8>,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO support_attachment_pieces (attachment, piece, bytes) VALUES ($1, $2, $3)",
        args![attachment, piece, bytes],
    )
    .await?;
    Ok(())
}

/// How many files a case has, and how many bytes in all.
pub async fn used(tx: &mut Tx, scope: &Scope, case: SupportCaseId) -> Result<(i64, i64)> {
    scope.platform()?;
    let row: Option<(i64, i64)> = tx
        .optional(
            "SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM support_attachments WHERE support_case = $1",
            args![case],
        )
        .await?;
    Ok(row.unwrap_or_default())
}

/// The files of a case that [`crate::support_cases::find`] gave, oldest first.
pub async fn list(tx: &mut Tx, scope: &Scope, case: &SupportCase) -> Result<Vec<Attachment>> {
    tx.all(
        "SELECT a.id, a.message, a.name, a.bytes, a.forgotten_at FROM support_attachments a \
         JOIN support_cases c ON c.id = a.support_case \
         WHERE a.support_case = $1 AND ($2 IS NULL OR c.home = $2) ORDER BY a.id",
        args![case.id, scope.home()],
    )
    .await
}

/// A file of a case that [`crate::support_cases::find`] gave.
pub async fn find(tx: &mut Tx, scope: &Scope, case: &SupportCase, id: Uuid) -> Result<Option<Attachment>> {
    tx.optional(
        "SELECT a.id, a.message, a.name, a.bytes, a.forgotten_at FROM support_attachments a \
         JOIN support_cases c ON c.id = a.support_case \
         WHERE a.id = $3 AND a.support_case = $1 AND ($2 IS NULL OR c.home = $2)",
        args![case.id, scope.home(), id],
    )
    .await
}

/// A piece of a file that [`find`] gave, if there is one of this number.
pub async fn piece(
    tx: &mut Tx,
    scope: &Scope,
    attachment: &Attachment,
    piece: i64,
) -> Result<Option<Vec<u8>>> {
    let row: Option<(Vec<u8>,)> = tx
        .optional(
            "SELECT p.bytes FROM support_attachment_pieces p JOIN support_attachments a ON a.id = p.attachment \
             JOIN support_cases c ON c.id = a.support_case \
             WHERE p.attachment = $1 AND p.piece = $3 AND ($2 IS NULL OR c.home = $2)",
            args![attachment.id, scope.home(), piece],
        )
        .await?;
    Ok(row.map(|(bytes,)| bytes))
}

/// Forgets the bytes of files whose case was closed before an instant; how many files. That they were there, stays.
pub async fn forget(tx: &mut Tx, scope: &Scope, closed_before: Micros, now: Micros) -> Result<u64> {
    scope.platform()?;
    let forgotten = tx
        .execute(
            "UPDATE support_attachments SET forgotten_at = $2 WHERE forgotten_at IS NULL AND support_case IN \
             (SELECT id FROM support_cases WHERE state = 'closed' AND updated_at < $1)",
            args![closed_before, now],
        )
        .await?;
    if forgotten > 0 {
        tx.execute(
            "DELETE FROM support_attachment_pieces WHERE attachment IN \
             (SELECT id FROM support_attachments WHERE forgotten_at = $1)",
            args![now],
        )
        .await?;
    }
    Ok(forgotten)
}
