//! The calls that only one kind of resource has.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, ServiceConfig, get, post},
};

use crate::{
    api::{
        answer::{Prev, page_body},
        query::{Paging, Params},
        resources::answer,
    },
    clock::now,
    lock::lock,
    shared::Shared,
    world::{DEFAULT_LIMIT, Kind, Order, Refusal, by_hand},
};

const VERSIONS: Paging = Paging { order: Order::Desc, default_limit: DEFAULT_LIMIT, max_limit: 100 };

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/agents/{agent_id}/versions", get().to(versions))
        .route("/vaults/{vault_id}/credentials/{credential_id}/mcp_oauth_validate", post().to(validate))
        .route("/deployments/{deployment_id}/pause", post().to(pause))
        .route("/deployments/{deployment_id}/unpause", post().to(unpause))
        .route("/deployments/{deployment_id}/run", post().to(run));
}

async fn versions(shared: Data<Shared>, id: Path<String>, req: HttpRequest) -> Result<HttpResponse, Refusal> {
    let params = Params::parse(req.query_string(), &["limit", "page"])?;
    let request = params.page_request(req.path(), &VERSIONS)?;
    Ok(page_body(lock(&shared.world).agent_versions(&id, &request)?, Prev::Absent))
}

async fn validate(shared: Data<Shared>, ids: Path<(String, String)>) -> Result<HttpResponse, Refusal> {
    let found = lock(&shared.world).validate(&ids.0, &ids.1, now())?;
    Ok(HttpResponse::Ok().json(found))
}

async fn pause(shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Refusal> {
    let notices = lock(&shared.world).pause(&id, &by_hand(), now())?;
    let paused = lock(&shared.world).read_resource(Kind::Deployment, &id)?;
    Ok(answer(&shared, (paused, notices)))
}

async fn unpause(shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Refusal> {
    let notices = lock(&shared.world).unpause(&id, now())?;
    let active = lock(&shared.world).read_resource(Kind::Deployment, &id)?;
    Ok(answer(&shared, (active, notices)))
}

async fn run(shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Refusal> {
    let done = lock(&shared.world).run_by_hand(&id, now())?;
    Ok(answer(&shared, done))
}
