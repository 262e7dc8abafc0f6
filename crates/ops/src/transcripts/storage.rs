//! Where the parts of transcripts are kept.

use super::POSTGRES_LIMIT;
use chrono::{DateTime, Utc};
use store::{NewTranscriptPart, PartRow, Store, TranscriptHold};

/// Keeps the parts of transcripts. Which generation of them is the transcript is always said by Postgres, in the transaction
/// that ends a fetch; a storage never shows parts of another one.
pub trait Storage: Send + Sync + 'static {
    /// Keeps a part and prolongs the right to do so until `lease_ends`. Returns whether the right was still there.
    ///
    /// # Errors
    /// When it could not be kept.
    fn put(
        &self,
        hold: &TranscriptHold,
        part: &NewTranscriptPart<'_>,
        lease_ends: DateTime<Utc>,
    ) -> impl Future<Output = Result<bool, store::Error>> + Send;

    /// What there is of a generation, in its order.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn parts(
        &self,
        session_id: &str,
        generation: i32,
    ) -> impl Future<Output = Result<Vec<PartRow>, store::Error>> + Send;

    /// The compressed lines of a part; `None` when it is gone.
    ///
    /// # Errors
    /// When it cannot be read.
    fn body(
        &self,
        session_id: &str,
        generation: i32,
        part: &PartRow,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, store::Error>> + Send;
}

/// Parts in a table of Postgres.
#[derive(Debug, Clone)]
pub struct InPostgres {
    store: Store,
}

impl InPostgres {
    /// A storage in the database of this store.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Storage for InPostgres {
    async fn put(
        &self,
        hold: &TranscriptHold,
        part: &NewTranscriptPart<'_>,
        lease_ends: DateTime<Utc>,
    ) -> Result<bool, store::Error> {
        let work = async {
            store::add_transcript_part(&mut *self.store.connection().await?, hold, part, lease_ends).await
        };
        self.store.within(POSTGRES_LIMIT, "keep a part of a transcript", work).await
    }

    async fn parts(&self, session_id: &str, generation: i32) -> Result<Vec<PartRow>, store::Error> {
        let work = async {
            store::transcript_parts(&mut *self.store.connection().await?, session_id, generation).await
        };
        self.store.within(POSTGRES_LIMIT, "list the parts of a transcript", work).await
    }

    async fn body(
        &self,
        session_id: &str,
        generation: i32,
        part: &PartRow,
    ) -> Result<Option<Vec<u8>>, store::Error> {
        let (position, part) = (part.position, part.part);
        let work = async {
            let mut connection = self.store.connection().await?;
            store::transcript_body(&mut connection, session_id, generation, position, part).await
        };
        self.store.within(POSTGRES_LIMIT, "read a part of a transcript", work).await
    }
}
