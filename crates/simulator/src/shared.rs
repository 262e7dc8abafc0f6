//! What all request handlers and background tasks share.

use std::sync::{Arc, Mutex};

use rand::RngExt;
use signing::Secret;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    batch::Batches,
    calls::Calls,
    clock::now,
    error::Error,
    executor::{Behaviour, Executor},
    faults::Faults,
    limit::Limit,
    lives::Lives,
    lock::lock,
    options::Options,
    webhook::{Courier, DeliveryOptions, Dialect, Endpoint, Envelope, Parcel},
    world::{Notice, Scenario, World},
};

/// A handle; clones share everything.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) options: Arc<Options>,
    /// The seed in use, chosen at random when the options name none.
    pub(crate) seed: u64,
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) faults: Arc<Mutex<Faults>>,
    pub(crate) calls: Arc<Mutex<Calls>>,
    pub(crate) limit: Arc<Mutex<Limit>>,
    pub(crate) executor: Arc<Mutex<Executor>>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) batches: Arc<Mutex<Batches>>,
    pub(crate) lives: Arc<Mutex<Lives>>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Result<Self, Error> {
        let seed = options.seed.unwrap_or_else(|| rand::rng().random());
        let stop = CancellationToken::new();
        let courier = Courier::new(configured_endpoint(&options)?, seed, options.time_scale, stop.clone())?;
        Ok(Self {
            seed,
            world: Arc::new(Mutex::new(World::new(seed, options.created_webhooks))),
            faults: Arc::new(Mutex::new(Faults::new(seed))),
            calls: Arc::default(),
            limit: Arc::new(Mutex::new(Limit::new(options.requests_per_minute))),
            executor: Arc::new(Mutex::new(configured_executor(&options)?)),
            courier: Arc::new(courier),
            batches: Arc::default(),
            lives: Arc::default(),
            tasks: TaskTracker::new(),
            stop,
            options: Arc::new(options),
        })
    }

    /// Puts everything back to the start, including the seed; running batches stop.
    pub(crate) fn reset(&self) -> Result<(), Error> {
        lock(&self.batches).reset();
        lock(&self.lives).reset();
        *lock(&self.world) = World::new(self.seed, self.options.created_webhooks);
        *lock(&self.faults) = Faults::new(self.seed);
        lock(&self.calls).reset();
        *lock(&self.limit) = Limit::new(self.options.requests_per_minute);
        *lock(&self.executor) = configured_executor(&self.options)?;
        *lock(&self.courier.endpoint) = configured_endpoint(&self.options)?;
        *lock(&self.courier.journal) = crate::webhook::Journal::default();
        Ok(())
    }

    /// Sends the webhooks of changes that an API call made, and ends the turn it started after the turn time.
    pub(crate) fn announce(&self, notices: &[Notice]) {
        for notice in notices {
            let (shared, parcel) = (self.clone(), self.parcel(notice));
            self.tasks.spawn(async move { shared.courier.deliver(&parcel).await });
            if notice.kind == "session.status_run_started" {
                self.end_turn_later(&notice.subject);
            }
        }
    }

    /// A notice as the platform would send it, with a fresh event id.
    pub(crate) fn parcel(&self, notice: &Notice) -> Parcel {
        let event_id = lock(&self.world).ids().webhook();
        Parcel::of(&Envelope::of(notice, event_id), Dialect::Platform)
    }

    fn end_turn_later(&self, session: &str) {
        let Some(turn_time) = self.options.turn_time else { return };
        let started = lock(&self.world).session(session).ok().and_then(|session| session.current_run());
        let (shared, session) = (self.clone(), session.to_owned());
        self.tasks.spawn(async move {
            if shared.stop.run_until_cancelled(tokio::time::sleep(turn_time)).await.is_none() {
                return;
            }
            let notices = {
                let mut world = lock(&shared.world);
                let current = world.session(&session).ok().and_then(|session| session.current_run());
                // Somebody else may have ended the turn, or deleted the session.
                if current.is_none() || current != started {
                    return;
                }
                world.play(Scenario::TurnEnd, &session, &[], now())
            };
            shared.announce(&notices.unwrap_or_default());
        });
    }
}

fn configured_endpoint(options: &Options) -> Result<Endpoint, Error> {
    let secret = configured_secret(options)?;
    let delivery = DeliveryOptions { drop: options.drop, ..DeliveryOptions::default() };
    Ok(Endpoint { url: options.webhook_url.clone(), secret, options: delivery, ..Endpoint::default() })
}

/// Expects the signing key of the webhooks until told of another one.
fn configured_executor(options: &Options) -> Result<Executor, Error> {
    Ok(Executor::new(Behaviour { secret: configured_secret(options)?, ..Behaviour::default() }))
}

fn configured_secret(options: &Options) -> Result<Option<Secret>, Error> {
    let secret = options.signing_key.as_deref().map(Secret::parse).transpose();
    secret.map_err(|source| Error::SigningKey { source })
}
