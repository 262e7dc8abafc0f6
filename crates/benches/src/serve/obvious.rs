//! What one would write first: verify, insert, publish with confirm, answer. A pool, a channel, no batches.

use super::bare::verified;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use signing::Secret;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::net::TcpListener;

struct Shared {
    secret: Secret,
    pool: PgPool,
    channel: Channel,
    queue: String,
    _connection: Connection,
}

pub(super) async fn serve(
    listener: TcpListener,
    secret: &str,
    database_url: &str,
    amqp_url: &str,
    queue: String,
) -> Result<()> {
    // As many connections as the load has, so that nobody waits for one; made before anybody comes.
    let pool = PgPoolOptions::new()
        .min_connections(64)
        .max_connections(64)
        .connect(database_url)
        .await
        .context("cannot connect to Postgres")?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS obvious_events (
            event_id text PRIMARY KEY, payload jsonb NOT NULL, received_at timestamptz NOT NULL DEFAULT now())",
    )
    .execute(&pool)
    .await
    .context("cannot create the table")?;
    let connection = Connection::connect(amqp_url, ConnectionProperties::default())
        .await
        .context("cannot connect to RabbitMQ")?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.as_str().into(), durable, arguments).await?;
    let secret = Secret::parse(secret).context("--secret")?;
    let shared = Data::new(Shared { secret, pool, channel, queue, _connection: connection });
    HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .route("/ready", web::get().to(HttpResponse::Ok))
            .route("/webhooks/default", web::post().to(receive))
    })
    .listen(listener)?
    .run()
    .await?;
    Ok(())
}

async fn receive(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    if !verified(&request, &body, &shared.secret) {
        return HttpResponse::BadRequest().finish();
    }
    match accept(&body, &shared).await {
        Ok(()) => HttpResponse::Ok().json(serde_json::json!({"status": "success"})),
        Err(_failed) => HttpResponse::InternalServerError().finish(),
    }
}

async fn accept(body: &[u8], shared: &Shared) -> Result<()> {
    let event: serde_json::Value = serde_json::from_slice(body)?;
    let id = event.get("id").and_then(serde_json::Value::as_str).context("an event without an id")?;
    #[expect(
        clippy::disallowed_methods,
        reason = "the table is the benchmark's own and unknown to the checker"
    )]
    let inserted =
        sqlx::query("INSERT INTO obvious_events (event_id, payload) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(&event)
            .execute(&shared.pool)
            .await?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let confirm = shared
        .channel
        .basic_publish(
            "".into(),
            shared.queue.as_str().into(),
            BasicPublishOptions::default(),
            body,
            persistent,
        )
        .await?
        .await?;
    anyhow::ensure!(matches!(confirm, Confirmation::Ack(_)), "not confirmed");
    Ok(())
}
