//! Reading a transcript part by part.

use super::lines::{Corrupt, unpacked};
use super::storage::Storage;
use sha2::{Digest as _, Sha256};
use store::PartRow;

/// Why a transcript could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Postgres is away or refuses.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A part is not what was written.
    #[error("part {part} of list {position} is damaged")]
    Corrupt {
        /// Place of its list.
        position: i32,
        /// Its number.
        part: i32,
        /// What is wrong.
        #[source]
        source: Corrupt,
    },
    /// A newer fetch has replaced the transcript meanwhile.
    #[error("the transcript was fetched anew while it was read; read it again")]
    Replaced,
}

/// Reads the parts of one generation in their order, and takes the digest of what it has read.
pub struct Reader<S> {
    storage: S,
    session_id: String,
    generation: i32,
    parts: std::vec::IntoIter<PartRow>,
    digest: Sha256,
}

impl<S: Storage> Reader<S> {
    /// Begins to read.
    ///
    /// # Errors
    /// When the parts cannot be listed.
    pub async fn new(storage: S, session_id: &str, generation: i32) -> Result<Self, ReadError> {
        let parts = storage.parts(session_id, generation).await?.into_iter();
        let (session_id, digest) = (session_id.to_owned(), Sha256::new());
        Ok(Self { storage, session_id, generation, parts, digest })
    }

    /// The next part and its lines; `None` after the last one.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn next(&mut self) -> Result<Option<(PartRow, Vec<u8>)>, ReadError> {
        let Some(part) = self.parts.next() else { return Ok(None) };
        let body = self.storage.body(&self.session_id, self.generation, &part).await?;
        let body = body.ok_or(ReadError::Replaced)?;
        let lines = unpacked(&body, part.bytes).map_err(|source| ReadError::Corrupt {
            position: part.position,
            part: part.part,
            source,
        })?;
        self.digest.update(&lines);
        Ok(Some((part, lines)))
    }

    /// SHA-256 of all lines that were read.
    #[must_use]
    pub fn sha256(self) -> [u8; 32] {
        self.digest.finalize().into()
    }
}
