//! What is stored of the resources that are about to be looked at.

use super::Context;
use domain::{ResourceRef, ResourceState};
use std::sync::Arc;
use std::time::Duration;
use store::States;
use telemetry::Chain;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Resources read by one statement at most.
const AT_ONCE: usize = 128;

/// How long reading stored states may take; without them the resources are fetched.
const LIMIT: Duration = Duration::from_secs(5);

struct Question {
    resource: ResourceRef,
    answer: oneshot::Sender<Option<ResourceState>>,
}

/// Answers for many groups at a time: the questions that come while one statement runs share the next one.
pub(super) struct Stored {
    questions: mpsc::Sender<Question>,
    _reader: JoinSet<()>,
}

impl Stored {
    /// Begins to answer, until it is dropped.
    pub(super) fn new(context: Arc<Context>) -> Arc<Self> {
        let (questions, asked) = mpsc::channel(AT_ONCE);
        let mut reader = JoinSet::new();
        reader.spawn(answer(context, asked));
        Arc::new(Self { questions, _reader: reader })
    }

    /// What is stored of a resource, if it can be read. Without an answer it is fetched: slower, and as right.
    pub(super) async fn of(&self, resource: &ResourceRef) -> Option<ResourceState> {
        let (answer, answered) = oneshot::channel();
        self.questions.send(Question { resource: resource.clone(), answer }).await.ok()?;
        answered.await.ok()?
    }
}

async fn answer(context: Arc<Context>, mut asked: mpsc::Receiver<Question>) {
    let mut questions = Vec::new();
    while asked.recv_many(&mut questions, AT_ONCE).await > 0 {
        let mut states = read(&context, &questions).await;
        for Question { resource, answer } in questions.drain(..) {
            let _nobody_waits_any_more = answer.send(states.remove(&(resource.kind, resource.id))).is_err();
        }
    }
}

async fn read(context: &Context, questions: &[Question]) -> States {
    let _waiting = context.progress.waiting("Postgres, stored states".to_owned());
    let resources: Vec<&ResourceRef> = questions.iter().map(|question| &question.resource).collect();
    let read = async {
        let mut connection = context.store.connection().await?;
        store::load_states(&mut connection, &resources).await
    };
    match context.store.within(LIMIT, "read states", read).await {
        Ok(states) => states,
        Err(error) => {
            tracing::debug!(error = %Chain(&error), "stored states not read; fetching");
            States::default()
        }
    }
}
