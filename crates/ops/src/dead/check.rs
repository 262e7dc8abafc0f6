//! Whether Postgres and the broker agree on what is dead, by their figures.

use super::settle::{LIMIT, SettleError};
use broker::{Broker, Inspector};
use serde::Serialize;
use store::Store;

/// Both sides' figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Events that are dead in Postgres.
    pub postgres: i64,
    /// Of these, still to be published to the broker's queue.
    pub unpublished: i64,
    /// Messages in the broker's queue.
    pub broker: i64,
    /// Whether every dead event has one message, published or about to be, and no message is left over.
    pub agree: bool,
}

/// Compares both sides by their figures.
///
/// # Errors
/// When either store is away.
pub async fn check(store: &Store, broker: &Broker) -> Result<Agreement, SettleError> {
    let inspector = Inspector::connect(broker).await?;
    let depths = inspector.depths().await?;
    inspector.close().await;
    let counting = async {
        let mut connection = store.connection().await?;
        store::dead_figures(&mut connection).await
    };
    let (postgres, unpublished) = store.within(LIMIT, "count dead letters", counting).await?;
    let broker = i64::from(depths.dead.messages);
    Ok(Agreement { postgres, unpublished, broker, agree: postgres == broker + unpublished })
}
