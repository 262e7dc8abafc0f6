//! The table.

use super::{Consequence, Fetch, Rule, Source};
use crate::resource::ResourceKind;
use Consequence::{Alert, Closes, Deletes, State};
use Fetch::{Nothing, Payload, Resource, ResourceAndCause, Unavailable};
use ResourceKind::{
    Agent, Deployment, DeploymentRun, Environment, ExternalKey, MemoryStore, Message, Session, SessionThread,
    UserProfile, Vault, VaultCredential,
};
use Source::{Classic, Contract, Documented, OlderDocuments, Organization, SdkOnly};

const fn row(
    event_type: &'static str,
    (resource, rank): (ResourceKind, u8),
    fetch: Fetch,
    consequence: Consequence,
    source: Source,
    happens_when: &'static str,
) -> Rule {
    Rule { event_type, resource, rank, fetch, consequence, source, happens_when }
}

/// All types we know. Ranks rise along a life: created, running, waiting, ended, archived, deleted.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    row("session.created", (Session, 10), Resource, State, SdkOnly,
        "unpublished; by its name, a session was created"),
    row("session.status_scheduled", (Session, 11), Resource, State, OlderDocuments,
        "in older documents only: a session was created and is ready"),
    row("session.pending", (Session, 12), Resource, State, SdkOnly,
        "unpublished; a hint to look again"),
    row("session.updated", (Session, 15), Resource, State, Documented,
        "a property of the session changed: its title, its metadata, its configuration"),
    row("session.running", (Session, 20), Resource, State, SdkOnly,
        "unpublished; looks like another name of `session.status_run_started`"),
    row("session.status_run_started", (Session, 21), Resource, State, Documented,
        "the session began to work, each time it does"),
    row("session.status_rescheduled", (Session, 25), Resource, State, Documented,
        "a transient error; the platform will try again by itself"),
    row("session.outcome_evaluation_ended", (Session, 30), Resource, State, Documented,
        "one iteration towards an outcome was graded; another may follow"),
    row("session.budget_reached", (Session, 40), ResourceAndCause, Alert, Documented,
        "the session used up its budget and paused; once for each amount"),
    row("session.idled", (Session, 50), Resource, State, SdkOnly,
        "unpublished; looks like another name of `session.status_idled`"),
    row("session.status_idled", (Session, 51), Resource, State, Documented,
        "the session waits, for whatever reason"),
    row("session.requires_action", (Session, 52), Resource, State, SdkOnly,
        "unpublished; by its name, tool calls wait for an answer"),
    row("tool.result_pending", (Session, 53), Resource, State, Contract,
        "a tool call of the session waits for its result"),
    row("session.status_error", (Session, 60), ResourceAndCause, Alert, Contract,
        "the session ran into an error"),
    row("session.status_completed", (Session, 70), Resource, Closes, Contract,
        "the session finished its work"),
    row("session.status_terminated", (Session, 80), Resource, Closes, Documented,
        "the session is over: it failed for good, or was archived"),
    row("session.archived", (Session, 90), Resource, Closes, SdkOnly,
        "unpublished; archiving is published as `session.status_terminated`"),
    row("session.deleted", (Session, 100), Nothing, Deletes, Documented,
        "the session was removed with all its events"),

    row("session.thread_created", (SessionThread, 10), Resource, State, Documented,
        "an agent of the session was given a thread of its own, or an advisor was consulted"),
    row("session.thread_idled", (SessionThread, 50), Resource, State, Documented,
        "an agent in a thread waits for input"),
    row("session.thread_terminated", (SessionThread, 80), Resource, State, Documented,
        "a thread was archived, ran out of retries, or was an advisor's and is done"),

    row("content_moderation.denied", (Message, 20), Payload, Alert, Classic,
        "a message was refused"),
    row("message.created", (Message, 10), Payload, State, Classic,
        "a message was created"),

    row("vault.created", (Vault, 10), Resource, State, Documented,
        "a vault was created"),
    row("vault.archived", (Vault, 90), Resource, State, Documented,
        "a vault was archived; an event for each of its credentials follows"),
    row("vault.deleted", (Vault, 100), Nothing, Deletes, Documented,
        "a vault was deleted; an event for each of its credentials follows"),

    row("vault_credential.created", (VaultCredential, 10), Resource, State, Documented,
        "a credential was put into a vault"),
    row("vault_credential.refresh_failed", (VaultCredential, 50), ResourceAndCause, Alert, Documented,
        "an OAuth credential cannot be refreshed any more"),
    row("vault_credential.archived", (VaultCredential, 90), Resource, State, Documented,
        "a credential was archived, alone or with its vault"),
    row("vault_credential.deleted", (VaultCredential, 100), Nothing, Deletes, Documented,
        "a credential was deleted, alone or with its vault"),

    row("agent.created", (Agent, 10), Resource, State, Documented,
        "an agent was created"),
    row("agent.updated", (Agent, 20), Resource, State, Documented,
        "a new version of an agent was published"),
    row("agent.archived", (Agent, 90), Resource, State, Documented,
        "an agent was archived; its sessions go on"),
    row("agent.deleted", (Agent, 100), Nothing, Deletes, Documented,
        "an agent was deleted"),

    row("deployment.created", (Deployment, 10), Resource, State, Documented,
        "a deployment was created"),
    row("deployment.updated", (Deployment, 20), Resource, State, Documented,
        "a property of the deployment changed"),
    row("deployment.paused", (Deployment, 40), Resource, Alert, Documented,
        "a deployment was paused: by somebody, or because a scheduled run failed for good"),
    row("deployment.unpaused", (Deployment, 50), Resource, State, Documented,
        "the deployment's schedule goes on"),
    row("deployment.archived", (Deployment, 90), Resource, State, Documented,
        "a deployment was archived, alone or with its agent"),
    row("deployment.deleted", (Deployment, 100), Nothing, Deletes, Documented,
        "a deployment was deleted"),

    row("deployment_run.started", (DeploymentRun, 10), Resource, State, Documented,
        "a scheduled run began; runs that somebody starts are not told of"),
    row("deployment_run.succeeded", (DeploymentRun, 50), Resource, State, Documented,
        "a scheduled run created its session; how the session went is another matter"),
    row("deployment_run.failed", (DeploymentRun, 60), Resource, Alert, Documented,
        "a scheduled run created no session"),

    row("environment.created", (Environment, 10), Resource, State, Documented,
        "an environment was created"),
    row("environment.updated", (Environment, 20), Resource, State, Documented,
        "a property of the environment changed"),
    row("environment.archived", (Environment, 90), Resource, State, Documented,
        "an environment was archived; doing so again is silent"),
    row("environment.deleted", (Environment, 100), Nothing, Deletes, Documented,
        "an environment was deleted, archived or not"),

    row("memory_store.created", (MemoryStore, 10), Resource, State, Documented,
        "a memory store was created, or cloned by the platform"),
    row("memory_store.archived", (MemoryStore, 90), Resource, State, Documented,
        "a memory store was archived; doing so again is silent"),
    row("memory_store.deleted", (MemoryStore, 100), Nothing, Deletes, Documented,
        "a memory store was deleted with its memories"),

    row("external_key.failed", (ExternalKey, 20), Unavailable, Alert, Organization,
        "a key of the customer's own stopped working"),
    row("external_key.recovered", (ExternalKey, 30), Unavailable, State, Organization,
        "the key works again"),

    row("user_profile.enforcement_action_opened", (UserProfile, 20), Unavailable, Alert, Organization,
        "a measure against a user was opened"),
    row("user_profile.enforcement_action_resolved", (UserProfile, 30), Unavailable, State, Organization,
        "the measure was resolved"),
    row("user_profile.program_status_updated", (UserProfile, 40), Unavailable, State, Organization,
        "the user's standing in a program changed"),
];
