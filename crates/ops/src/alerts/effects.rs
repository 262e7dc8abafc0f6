//! Effects of kind `alert` become alerts.

use super::details::{self, Found, details};
use super::{Metrics, POSTGRES_LIMIT, words};
use crate::effects::{Handler, NotCarriedOut};
use domain::alert::{Cause, matters_since, over, over_at_once};
use domain::{AlertKind, Clock, ResourceState};
use std::sync::Arc;
use store::{DueEffect, EventFacts, NewAlert, Store};
use telemetry::Chain;

/// How often details are asked for in vain before the alert is raised without them.
const TRIES_FOR_DETAILS: u32 = 3;

/// Raises the alerts that events call for.
pub struct AlertEffects {
    store: Store,
    claude: claude::Client,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl AlertEffects {
    /// A handler of effects of kind `alert`.
    #[must_use]
    pub fn new(store: Store, claude: claude::Client, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { store, claude, clock, metrics }
    }

    async fn stored(&self, effect: &DueEffect) -> Result<(Option<EventFacts>, ResourceState), store::Error> {
        let reading = async {
            let mut connection = self.store.connection().await?;
            let event = store::event_facts(&mut connection, effect.event).await?;
            let state = store::load_states(&mut connection, &[&effect.resource]).await?;
            Ok((event, state.into_values().next().unwrap_or_default()))
        };
        self.store.within(POSTGRES_LIMIT, "read what an alert is about", reading).await
    }

    /// Without the API an alert is better than none.
    async fn found(&self, effect: &DueEffect, state: &ResourceState) -> Result<Found, NotCarriedOut> {
        match details(&self.claude, effect, state).await {
            Ok(found) => Ok(found),
            Err(error) if effect.tries + 1 < TRIES_FOR_DETAILS => Err(error.into()),
            Err(error) => Ok(details::without_api(effect, state, &Chain(&error).to_string())),
        }
    }

    /// Raises the alert, or puts it on record where it is over already, and finishes the effect with it.
    async fn raise(
        &self,
        effect: &DueEffect,
        alert: &NewAlert<'_>,
        kind: AlertKind,
        cause: &Cause,
    ) -> Result<(), store::Error> {
        let now = self.clock.now();
        let raising = async {
            let mut tx = self.store.begin("raise an alert").await?;
            if !store::finish_effect(&mut tx, effect.id, now).await? {
                // Somebody else was faster: the lease was over.
                return Ok(());
            }
            let states = store::load_states(&mut tx, &[&effect.resource]).await?;
            let state = states.into_values().next().unwrap_or_default();
            let later = store::history_since(&mut tx, &effect.resource, matters_since(cause)).await?;
            let ended = over(kind, cause, &state, &later);
            match ended.or_else(|| over_at_once(kind, &effect.detail).map(str::to_owned)) {
                Some(resolution) => {
                    store::record_past_alert(&mut tx, alert, cause, &resolution, now).await?;
                }
                None => {
                    store::raise_caused_alert(&mut tx, alert, Some(cause), now).await?;
                }
            }
            tx.commit().await?;
            self.metrics.count_raised(kind);
            Ok(())
        };
        self.store.within(POSTGRES_LIMIT, "raise an alert", raising).await
    }
}

impl Handler for AlertEffects {
    async fn carry_out(&self, effect: &DueEffect) -> Result<(), NotCarriedOut> {
        let kind = AlertKind::of_effect(&effect.detail);
        let (event, state) = self.stored(effect).await?;
        let Found { details, idle_at } = self.found(effect, &state).await?;
        // An effect that is keyed by its event is about the event; any other key names an idle event of the session.
        let of_event = event.as_ref().is_none_or(|event| event.event_id == effect.key);
        let happened_at = event.as_ref().map_or(effect.recorded_at, |event| event.created_at);
        let cause =
            Cause { idle_event: (!of_event).then(|| effect.key.clone()), at: idle_at.unwrap_or(happened_at) };
        let title = words::title(kind, effect, &details);
        let key = effect.resource.to_string();
        let alert = NewAlert {
            kind: kind.as_str(),
            key: &key,
            severity: kind.severity(),
            resource: Some(&effect.resource),
            title: &title,
            details,
            event: Some(effect.event),
        };
        Ok(self.raise(effect, &alert, kind, &cause).await?)
    }
}
