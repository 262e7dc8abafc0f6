//! Mutexes that outlive a panicking handler.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also when another thread panicked while holding the lock: one failed request must not take the whole
/// simulator down, and every change made under these locks is a complete one.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
