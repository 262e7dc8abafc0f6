//! Letting lives happen, each at its own pace.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock::now,
    lives::{
        order::LiveOrder,
        plan::{Step, plan},
        progress::Progress,
    },
    lock::lock,
    shared::Shared,
    webhook::{DeliveryOptions, Dialect, Envelope, Outcome, Parcel},
    world::{Notice, Object, Performed, Scenario, Script, Stage, Wish},
};

/// How often a waiting session looks whether it has been answered.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What all lives of one order share.
struct Live {
    shared: Shared,
    order: LiveOrder,
    progress: Arc<Mutex<Progress>>,
    deliveries: TaskTracker,
    stop: CancellationToken,
}

/// Plans lives, starts them in the background and answers their first progress.
pub(crate) fn start(shared: &Shared, order: LiveOrder) -> Progress {
    let seed = order.seed.unwrap_or_else(|| lock(&shared.world).ids().seed());
    let plan = plan(&order, seed);
    let (progress, stop) = lock(&shared.lives).enter(Progress {
        seed,
        sessions: plan.sessions.len(),
        resources: plan.resources.len(),
        ..Progress::default()
    });
    let first = lock(&progress).clone();
    if order.drop > 0.0 {
        // The webhooks that answers cause are not sent from here, and get lost like all others.
        lock(&shared.courier.endpoint).options.drop = order.drop;
    }
    let live =
        Arc::new(Live { shared: shared.clone(), order, progress, deliveries: TaskTracker::new(), stop });
    let lives = TaskTracker::new();
    let mut rng = StdRng::seed_from_u64(seed);
    for steps in plan.sessions {
        let (live, rng) = (Arc::clone(&live), StdRng::seed_from_u64(rng.random()));
        lives.spawn(async move { live.lead_session(steps, rng).await });
    }
    for story in plan.resources {
        let (live, rng) = (Arc::clone(&live), StdRng::seed_from_u64(rng.random()));
        lives.spawn(async move { live.lead_resource(story, rng).await });
    }
    lives.close();
    let begun = Instant::now();
    shared.tasks.spawn(async move {
        lives.wait().await;
        live.deliveries.close();
        live.deliveries.wait().await;
        let mut progress = lock(&live.progress);
        progress.done = true;
        progress.elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    });
    first
}

impl Live {
    async fn lead_session(self: Arc<Self>, steps: Vec<Step>, mut rng: StdRng) {
        let session = lock(&self.shared.world).put(None, Object::new(), now()).id().to_owned();
        for step in steps {
            if !self.pause(&mut rng).await {
                return;
            }
            match step {
                Step::Play(scenario) => self.play(&session, scenario, &[], &mut rng),
                Step::AskInVain(tools) => self.play(&session, Scenario::RequiresAction, &tools, &mut rng),
                Step::Ask(tools) => {
                    self.play(&session, Scenario::RequiresAction, &tools, &mut rng);
                    if !self.wait_for_answers(&session).await {
                        break;
                    }
                }
            }
        }
        lock(&self.progress).ended += 1;
    }

    fn play(
        self: &Arc<Self>,
        session: &str,
        scenario: Scenario,
        tools: &[crate::world::ToolRequest],
        rng: &mut StdRng,
    ) {
        let stage = Stage { session: Some(session), tools, ..Stage::default() };
        self.perform(Script::Session(scenario, None), stage, rng);
        if scenario == Scenario::RequiresAction {
            lock(&self.progress).asked += self.blocking(session);
        }
    }

    /// Waits until nothing blocks the session any more. False when it has waited long enough, or all is to end.
    async fn wait_for_answers(&self, session: &str) -> bool {
        let deadline =
            self.order.patience_seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        lock(&self.progress).waiting += 1;
        let mut answered = self.blocking(session) == 0;
        while !answered && deadline.is_none_or(|deadline| Instant::now() < deadline) {
            if !self.sleep(LOOK_EVERY).await {
                break;
            }
            answered = self.blocking(session) == 0;
        }
        let mut progress = lock(&self.progress);
        progress.waiting -= 1;
        progress.unanswered += usize::from(!answered);
        answered
    }

    /// How many answers a session waits for; a session that somebody deleted waits for none.
    fn blocking(&self, session: &str) -> usize {
        lock(&self.shared.world).session(session).map_or(0, |session| session.blocking.len())
    }

    async fn lead_resource(self: Arc<Self>, story: &'static [&'static str], mut rng: StdRng) {
        let mut resource: Option<String> = None;
        for name in story {
            if !self.pause(&mut rng).await {
                return;
            }
            let Some(script) = Script::named(name) else { continue };
            let wish = Wish { resource: resource.as_deref(), ..Wish::default() };
            let done = self.perform(script, Stage { wish, ..Stage::default() }, &mut rng);
            resource = resource.or(done.map(|done| done.id));
        }
        lock(&self.progress).ended += 1;
    }

    /// Changes the world and sends the webhooks. What somebody else has made impossible meanwhile does not happen.
    fn perform(self: &Arc<Self>, script: Script, stage: Stage<'_>, rng: &mut StdRng) -> Option<Performed> {
        let done = lock(&self.shared.world).perform(script, stage, now()).ok()?;
        for notice in &done.notices {
            self.send(notice, rng);
        }
        Some(done)
    }

    fn send(self: &Arc<Self>, notice: &Notice, rng: &mut StdRng) {
        let envelope = Envelope::of(notice, lock(&self.shared.world).ids().webhook());
        let options = DeliveryOptions {
            duplicates: u32::from(rng.random_bool(self.order.duplicates)),
            delay_ms: rng.random_range(0..=self.order.shuffle_ms),
            ..DeliveryOptions::default()
        };
        let parcel = Parcel { options: Some(options), ..Parcel::of(&envelope, Dialect::Platform) };
        lock(&self.progress).webhooks += 1;
        let live = Arc::clone(self);
        self.deliveries.spawn(async move {
            let outcome = live.shared.courier.deliver(&parcel).await.outcome;
            let mut progress = lock(&live.progress);
            progress.dropped += usize::from(outcome == Outcome::Dropped);
            progress.failed += usize::from(outcome == Outcome::Failed);
        });
    }

    /// The time between two steps, up to twice the average. False when all is to end.
    async fn pause(&self, rng: &mut StdRng) -> bool {
        self.sleep(Duration::from_millis(rng.random_range(0..=self.order.pace_ms.saturating_mul(2)))).await
    }

    async fn sleep(&self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.stop.cancelled() => false,
            () = self.shared.stop.cancelled() => false,
        }
    }
}
