//! A connection in use, and the transaction that has one for itself.
//!
//! The pool asks a connection for a sign of life before it takes it back, and waits for the answer without end. When the
//! network has fallen silent, that would keep the connection's place in the pool for ever. So giving back has a deadline
//! here; a connection that misses it, still busy with a statement that nobody waits for or silent, is closed.

use crate::error::Error;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;
use sqlx::{Executor as _, Postgres};
use std::ops::{Deref, DerefMut};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How long a connection may take to prove that it still works before the pool takes it back. Less would close sound ones
/// of a server that has too much to do, and making new ones is more to do.
const GIVE_BACK_LIMIT: Duration = Duration::from_secs(5);

/// A connection of the pool. Dropping it gives it back.
#[derive(Debug)]
pub struct Connection {
    pooled: PoolConnection<Postgres>,
    close: bool,
}

impl Connection {
    pub(crate) const fn new(pooled: PoolConnection<Postgres>) -> Self {
        Self { pooled, close: false }
    }

    pub(crate) const fn close_when_dropped(&mut self) {
        self.close = true;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.close {
            self.pooled.close_on_drop();
            return;
        }
        let given_back = self.pooled.return_to_pool();
        // Not a duty that a shutdown waits for, and `drop` cannot wait itself; the driver's own `drop` does the same.
        // Outside of a runtime nobody can ask the connection anything: it is closed.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(GIVE_BACK_LIMIT, given_back));
        }
    }
}

impl Deref for Connection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.pooled
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.pooled
    }
}

/// A transaction with a name. Dropping it without [`Tx::commit`] closes its connection, which undoes all of it: Postgres
/// sees to that even when it does not get to hear another word from us.
#[derive(Debug)]
pub struct Tx {
    connection: Connection,
    action: &'static str,
}

impl Tx {
    pub(crate) async fn begin(connection: Connection, action: &'static str) -> Result<Self, Error> {
        let mut tx = Self { connection, action };
        // Until the commit is over, whatever ends this leaves the connection in an unknown state.
        tx.connection.close = true;
        tx.execute("BEGIN").await.map_err(Error::of(action))?;
        Ok(tx)
    }

    /// Makes all of it last.
    ///
    /// # Errors
    /// When Postgres refuses or went away; it is then unknown whether the commit took place.
    pub async fn commit(mut self) -> Result<(), Error> {
        let action = self.action;
        self.execute("COMMIT").await.map_err(Error::of(action))?;
        self.connection.close = false;
        Ok(())
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
