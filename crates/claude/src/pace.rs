//! Whoever shares the API with others slows us down before each request.

use domain::CallClass;
use std::pin::Pin;
use std::time::Duration;

/// A future of [`Pace`].
pub type Paced<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Decides when a request may be made. The client has no budget of its own and knows nobody with whom it shares one.
pub trait Pace: Send + Sync {
    /// Waits until a request may be made, the repetition of one included.
    fn before(&self, class: CallClass) -> Paced<'_>;

    /// Takes note that the platform answered 429, and how long it asked us to wait.
    fn throttled(&self, retry_after: Option<Duration>) -> Paced<'_>;
}
