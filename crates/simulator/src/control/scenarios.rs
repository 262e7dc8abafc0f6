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
    faults::Rule,
    lock::lock,
    shared::Shared,
    webhook::{DeliveryOptions, Dialect, Envelope, Parcel, Report},
    world::{Object, Performed, Refusal, Script, Stage, ToolRequest, Wish},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/scenarios/{name}", post().to(play));
}

/// How a scenario is to be run.
#[expect(clippy::struct_excessive_bools, reason = "the members of a JSON body, each absent by default")]
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Play {
    /// A session; without one a new one is made.
    session: Option<String>,
    /// The resource it happens to; without one a new one is made.
    resource: Option<String>,
    /// Members of a new session or resource, or those that an update changes.
    members: Option<Object>,
    /// Type of the error with which a run fails, or that pauses a deployment.
    error: Option<String>,
    /// Tool calls for `requires_action`; one custom tool unless given.
    tools: Vec<ToolRequest>,
    /// So many fetches still see the state from before.
    lag: u32,
    /// So many fetches do not find the object yet.
    hide: u32,
    /// Sends the webhooks in random order.
    shuffle: bool,
    /// Sends the webhooks one after the other, the last one first.
    reverse: bool,
    /// Further members of `data` in all webhooks.
    data: Object,
    /// Members of `data` that the webhooks lack, such as `session_thread_id`.
    omit: Vec<String>,
    dialect: Dialect,
    options: Option<DeliveryOptions>,
    /// Changes the state without sending anything.
    silent: bool,
    /// Answers after the deliveries have ended, with their reports.
    wait: bool,
}

async fn play(shared: Data<Shared>, name: Path<String>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let script = Script::named(&name)
        .ok_or_else(|| Refusal::invalid(format!("scenario: nothing is called {:?}", name.as_str())))?;
    let play: Play = parsed(&body)?;
    let (done, mut parcels) = act(&shared, script, &play)?;
    if let Some(path) = done.path.as_deref().filter(|_| play.hide > 0) {
        lock(&shared.faults).add(Rule::hiding(path, play.hide));
    }
    if play.silent {
        parcels.clear();
    }
    let webhooks: Vec<Value> =
        parcels.iter().map(|parcel| json!({ "id": parcel.event_id, "type": parcel.kind })).collect();
    if play.shuffle {
        parcels.shuffle(&mut StdRng::seed_from_u64(lock(&shared.world).ids().seed()));
    }
    let reports = send(&shared, parcels, &play).await;
    let member = if matches!(script, Script::Session(..)) { "session" } else { "resource" };
    let mut answer = json!({ "id": done.id, "session": null, "webhooks": webhooks, "deliveries": reports });
    if let Some(answer) = answer.as_object_mut() {
        answer.insert(member.into(), done.object);
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// Sends the webhooks; answers the reports if they are to be waited for.
async fn send(shared: &Data<Shared>, mut parcels: Vec<Parcel>, play: &Play) -> Vec<Report> {
    if play.reverse {
        parcels.reverse();
        let courier = shared.courier.clone();
        let one_by_one = async move {
            let mut reports = Vec::new();
            for parcel in &parcels {
                reports.push(courier.deliver(parcel).await);
            }
            reports
        };
        if play.wait {
            return one_by_one.await;
        }
        shared.tasks.spawn(one_by_one);
        return Vec::new();
    }
    if play.wait {
        return join_all(parcels.iter().map(|parcel| shared.courier.deliver(parcel))).await;
    }
    for parcel in parcels {
        let courier = shared.courier.clone();
        shared.tasks.spawn(async move { courier.deliver(&parcel).await });
    }
    Vec::new()
}

/// Changes the world; answers what became of it and the webhooks, written down.
fn act(shared: &Shared, script: Script, play: &Play) -> Result<(Performed, Vec<Parcel>), Refusal> {
    let wish = Wish {
        resource: play.resource.as_deref(),
        members: play.members.as_ref(),
        error: play.error.as_deref(),
    };
    let stage = Stage { session: play.session.as_deref(), tools: &play.tools, wish, lag: play.lag };
    let mut world = lock(&shared.world);
    let done = world.perform(script, stage, now())?;
    let dialect = if script.is_classic() { Dialect::Classic } else { play.dialect };
    let mut parcels = Vec::new();
    for notice in &done.notices {
        let mut envelope = Envelope::of(notice, world.ids().webhook());
        envelope.data.extend(play.data.clone());
        envelope.data.retain(|member, _| !play.omit.contains(member));
        parcels.push(Parcel { options: play.options.clone(), ..Parcel::of(&envelope, dialect) });
    }
    Ok((done, parcels))
}
