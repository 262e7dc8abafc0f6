//! The calls of every kind of resource in the catalog, mounted by its rules.

use std::future::ready;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data, ServiceConfig, delete, get, post},
};
use serde_json::{Value, json};

use crate::{
    api::{
        answer::{Prev, body_object, page_body},
        query::{Paging, Params},
    },
    clock::now,
    lock::lock,
    shared::Shared,
    world::{Calls, DEFAULT_LIMIT, Filter, Kind, Notice, Order, Refusal},
};

/// One call's kind and the ids in its path.
struct Call {
    kind: Kind,
    id: String,
    parent: Option<String>,
}

impl Call {
    fn of(kind: Kind, req: &HttpRequest) -> Self {
        let rules = kind.rules();
        let given = |name: &str| req.match_info().get(&format!("{name}_id")).map(str::to_owned);
        let id = given(parameter(kind)).unwrap_or_default();
        Self { kind, id, parent: rules.parent.and_then(|parent| given(parameter(parent))) }
    }

    /// Refuses an object below another parent than its own.
    fn check_parent(&self, shared: &Shared) -> Result<(), Refusal> {
        match &self.parent {
            Some(parent) => lock(&shared.world).belongs_to(self.kind, &self.id, parent),
            None => Ok(()),
        }
    }
}

/// What the id of a kind is called in paths, without `_id`.
fn parameter(kind: Kind) -> &'static str {
    if kind == Kind::Credential { "credential" } else { kind.rules().name }
}

/// Mounts a kind: the collection, its items, and the calls that the rules name.
pub(crate) fn routes(kind: Kind, config: &mut ServiceConfig) {
    let rules = kind.rules();
    let (all, one) = (rules.path, format!("{}/{{{}_id}}", rules.path, parameter(kind)));
    config
        .route(all, get().to(move |shared: Data<Shared>, req: HttpRequest| ready(list(kind, &shared, &req))));
    config.route(
        &one,
        get().to(move |shared: Data<Shared>, req: HttpRequest| ready(retrieve(kind, &shared, &req))),
    );
    if rules.calls == Calls::Read {
        return;
    }
    config.route(
        all,
        post().to(move |shared: Data<Shared>, req: HttpRequest, body: Bytes| {
            ready(create(kind, &shared, &req, &body))
        }),
    );
    config.route(
        &one,
        post().to(move |shared: Data<Shared>, req: HttpRequest, body: Bytes| {
            ready(update(kind, &shared, &req, &body))
        }),
    );
    config.route(
        &format!("{one}/archive"),
        post().to(move |shared: Data<Shared>, req: HttpRequest| ready(archive(kind, &shared, &req))),
    );
    if rules.calls == Calls::Delete {
        config.route(
            &one,
            delete().to(move |shared: Data<Shared>, req: HttpRequest| ready(remove(kind, &shared, &req))),
        );
    }
}

fn create(kind: Kind, shared: &Shared, req: &HttpRequest, body: &[u8]) -> Result<HttpResponse, Refusal> {
    let call = Call::of(kind, req);
    let done =
        lock(&shared.world).create_resource(kind, call.parent.as_deref(), body_object(body)?, now())?;
    Ok(answer(shared, done))
}

fn list(kind: Kind, shared: &Shared, req: &HttpRequest) -> Result<HttpResponse, Refusal> {
    let rules = &kind.rules().list;
    let known: Vec<&str> = rules.filters.iter().copied().chain(["limit", "page"]).collect();
    let params = Params::parse(req.query_string(), &known)?;
    let text = |name: &str| params.one(name).map(str::to_owned);
    let filter = Filter {
        parent: Call::of(kind, req).parent,
        include_archived: params.parsed("include_archived")?.unwrap_or(false),
        status: text("status"),
        agent_id: text("agent_id"),
        deployment_id: text("deployment_id"),
        has_error: params.parsed("has_error")?,
        trigger_type: text("trigger_type"),
    };
    let paging = Paging { order: Order::Desc, default_limit: DEFAULT_LIMIT, max_limit: rules.max_limit };
    let request = params.page_request(req.path(), &paging)?;
    let page = lock(&shared.world).list_resources(kind, &filter, &request)?;
    Ok(page_body(page, Prev::Absent))
}

fn retrieve(kind: Kind, shared: &Shared, req: &HttpRequest) -> Result<HttpResponse, Refusal> {
    let call = Call::of(kind, req);
    call.check_parent(shared)?;
    let found = if kind == Kind::Agent {
        let params = Params::parse(req.query_string(), &["version"])?;
        lock(&shared.world).agent(&call.id, params.parsed("version")?)?
    } else {
        Params::parse(req.query_string(), &[])?;
        lock(&shared.world).read_resource(kind, &call.id)?
    };
    Ok(HttpResponse::Ok().json(found))
}

fn update(kind: Kind, shared: &Shared, req: &HttpRequest, body: &[u8]) -> Result<HttpResponse, Refusal> {
    let call = Call::of(kind, req);
    call.check_parent(shared)?;
    let done = lock(&shared.world).update_resource(kind, &call.id, body_object(body)?, now())?;
    Ok(answer(shared, done))
}

fn archive(kind: Kind, shared: &Shared, req: &HttpRequest) -> Result<HttpResponse, Refusal> {
    let call = Call::of(kind, req);
    call.check_parent(shared)?;
    let done = lock(&shared.world).archive_resource(kind, &call.id, now())?;
    Ok(answer(shared, done))
}

fn remove(kind: Kind, shared: &Shared, req: &HttpRequest) -> Result<HttpResponse, Refusal> {
    let call = Call::of(kind, req);
    call.check_parent(shared)?;
    let notices = lock(&shared.world).delete_resource(kind, &call.id, now())?;
    shared.announce(&notices);
    let kind = format!("{}_deleted", kind.rules().name);
    Ok(HttpResponse::Ok().json(json!({ "id": call.id, "type": kind })))
}

/// Sends the webhooks of a change and answers the object.
pub(crate) fn answer(shared: &Shared, (object, notices): (Value, Vec<Notice>)) -> HttpResponse {
    shared.announce(&notices);
    HttpResponse::Ok().json(object)
}
