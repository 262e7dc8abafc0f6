//! Signed deliveries without end, each made in a few microseconds.

#[cfg(test)]
mod tests;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::Clock as _;
use runtime::SystemClock;
use signing::Secret;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes deliveries: numbered events that go round a set of sessions, some of them sent twice. Clones go on with the
/// same numbers.
#[derive(Clone)]
pub(crate) struct Deliveries {
    secret: Arc<Secret>,
    run: Arc<str>,
    salt: u64,
    next: Arc<AtomicU64>,
    sessions: u64,
    /// Every how many-th delivery repeats an earlier one; 0 for none.
    repeat_every: u64,
}

/// How far back a repeated delivery lies: beyond what is under way at the same time.
const REPEATS_AFTER: u64 = 2_000;

impl Deliveries {
    /// Events of `sessions` sessions, with ids that no other `run` has.
    pub(crate) fn new(secret: Secret, run: &str, sessions: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        run.hash(&mut hasher);
        let next = Arc::new(AtomicU64::new(0));
        let salt = hasher.finish();
        Self {
            secret: Arc::new(secret),
            run: run.into(),
            salt,
            next,
            sessions: sessions.max(1),
            repeat_every: 0,
        }
    }

    /// The same with every `n`-th delivery a duplicate.
    pub(crate) fn repeating_every(self, n: u64) -> Self {
        Self { repeat_every: n, ..self }
    }

    /// How many deliveries were made.
    pub(crate) fn made(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Writes the next request into `request`, which is emptied first.
    pub(crate) fn write_next(&self, request: &mut Vec<u8>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let repeats =
            self.repeat_every > 0 && number >= REPEATS_AFTER && number.is_multiple_of(self.repeat_every);
        // Lands on a number that was no repetition itself.
        let event = if repeats { number - REPEATS_AFTER + 1 } else { number };
        let now = SystemClock.now();
        // The random part comes first: behind a common beginning, all events of a run would be neighbours in the index.
        let id = format!("wevt_{:016x}{}", scatter(event, self.salt), self.run);
        let body = self.body(&id, event, now);
        let signature = signing::sign(&self.secret, &id, now.timestamp(), body.as_bytes());
        let mut head = String::with_capacity(400);
        // Writing to a String cannot fail.
        let _infallible = write!(
            head,
            "POST /webhooks/default HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\ncontent-type: application/json\r\n\
             webhook-id: {id}\r\nwebhook-timestamp: {}\r\nwebhook-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
            now.timestamp(),
            body.len(),
        )
        .is_ok();
        request.clear();
        request.extend_from_slice(head.as_bytes());
        request.extend_from_slice(body.as_bytes());
    }

    /// The platform's thin event, about as long as a real one.
    fn body(&self, id: &str, event: u64, now: DateTime<Utc>) -> String {
        let session = scatter(event % self.sessions, self.salt);
        format!(
            r#"{{"type":"event","id":"{id}","created_at":"{}","data":{{"type":"session.status_running","id":"sesn_{session:016x}{}","organization_id":"org_01BenchOrganization0001","workspace_id":"wrkspc_01BenchWorkspace00001"}}}}"#,
            now.to_rfc3339_opts(SecondsFormat::Secs, true),
            self.run,
        )
    }
}

/// Another number for each number, without any order that an index could profit from, as the platform's ids have none.
/// The finaliser of `SplitMix64`: each of its steps can be undone, so no two numbers meet.
fn scatter(number: u64, salt: u64) -> u64 {
    let mut mixed = salt.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
