//! Running named scenarios.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path, ServiceConfig, post},
};
use futures_util::future::join_all;
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::now,
    control::parsed,
    lock::lock,
    shared::Shared,
    webhook::{DeliveryOptions, Dialect, Envelope, Parcel},
    world::{Object, Refusal, Scenario, ToolRequest},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/scenarios/{name}", post().to(play));
}

/// How a scenario is to be run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Play {
    /// A session; without one a new one is made.
    session: Option<String>,
    /// Tool calls for `requires_action`; one custom tool unless given.
    tools: Vec<ToolRequest>,
    /// So many fetches still see the state from before.
    lag: u32,
    /// Sends the webhooks in random order.
    shuffle: bool,
    dialect: Dialect,
    options: Option<DeliveryOptions>,
    /// Changes the state without sending anything.
    silent: bool,
    /// Answers after the deliveries have ended, with their reports.
    wait: bool,
}

async fn play(shared: Data<Shared>, name: Path<String>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let scenario: Scenario = serde_json::from_value(Value::String(name.into_inner()))
        .map_err(|error| Refusal::invalid(format!("scenario: {error}")))?;
    let play: Play = parsed(&body)?;
    let (id, session, mut parcels) = act(&shared, scenario, &play)?;
    if play.silent {
        parcels.clear();
    }
    let webhooks: Vec<Value> =
        parcels.iter().map(|parcel| json!({ "id": parcel.event_id, "type": parcel.kind })).collect();
    if play.shuffle {
        parcels.shuffle(&mut StdRng::seed_from_u64(lock(&shared.world).ids().seed()));
    }
    let mut reports = Vec::new();
    if play.wait {
        reports = join_all(parcels.iter().map(|parcel| shared.courier.deliver(parcel))).await;
    } else {
        for parcel in parcels {
            let courier = shared.courier.clone();
            shared.tasks.spawn(async move { courier.deliver(&parcel).await });
        }
    }
    let answer = json!({ "id": id, "session": session, "webhooks": webhooks, "deliveries": reports });
    Ok(HttpResponse::Ok().json(answer))
}

/// Changes the world; answers the session (null once deleted) and the webhooks, written down.
fn act(shared: &Shared, scenario: Scenario, play: &Play) -> Result<(String, Value, Vec<Parcel>), Refusal> {
    let mut world = lock(&shared.world);
    let id = match &play.session {
        Some(id) => id.clone(),
        None => world.put(None, Object::new(), now()).id().to_owned(),
    };
    world.session(&id)?.lag_behind(play.lag);
    let notices = world.play(scenario, &id, &play.tools, now())?;
    let session = world.session(&id).map_or(Value::Null, |session| Value::Object(session.object.clone()));
    let mut parcels = Vec::new();
    for notice in &notices {
        let event_id = world.ids().webhook();
        let envelope = Envelope::of(notice, event_id.clone());
        parcels.push(Parcel {
            event_id,
            kind: notice.kind.clone(),
            session: Some(id.clone()),
            body: envelope.body(play.dialect),
            options: play.options.clone(),
            endpoint: None,
        });
    }
    Ok((id, session, parcels))
}
