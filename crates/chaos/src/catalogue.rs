//! All scenarios.

mod failpoints;
mod network;

use crate::scenario::Allowed::{DeadLetters, Refusals};
use crate::scenario::{ApiTrouble, Fault, Role, Scenario, Server, Wipe};

/// All scenarios, in the order in which they run.
pub(crate) fn all() -> Vec<Scenario> {
    [ROWS, network::ROWS, failpoints::ROWS].concat()
}

const ROWS: &[Scenario] = &[
    Scenario { name: "calm", about: "nothing is broken", fault: Fault::Nothing, allows: &[], short: false },
    Scenario {
        name: "kill-ingest",
        about: "kill -9 of an ingest at random moments",
        fault: Fault::Crashes(Role::Ingest),
        allows: &[],
        short: true,
    },
    Scenario {
        name: "kill-worker",
        about: "kill -9 of a worker at random moments",
        fault: Fault::Crashes(Role::Worker),
        allows: &[],
        short: true,
    },
    Scenario {
        name: "kill-postgres",
        about: "kill -9 of Postgres at random moments",
        fault: Fault::ServerCrashes(Server::Postgres),
        allows: &[],
        short: true,
    },
    Scenario {
        name: "kill-rabbitmq",
        about: "kill -9 of RabbitMQ at random moments",
        fault: Fault::ServerCrashes(Server::RabbitMq),
        allows: &[],
        short: true,
    },
    Scenario {
        name: "postgres-away",
        about: "Postgres is away",
        fault: Fault::Away(&[Server::Postgres]),
        allows: &[],
        short: false,
    },
    Scenario {
        name: "rabbitmq-away",
        about: "RabbitMQ is away",
        fault: Fault::Away(&[Server::RabbitMq]),
        allows: &[],
        short: false,
    },
    Scenario {
        name: "both-away",
        about: "both stores are away",
        fault: Fault::Away(&[Server::Postgres, Server::RabbitMq]),
        allows: &[Refusals],
        short: true,
    },
    Scenario {
        name: "rolling-restarts",
        about: "SIGTERM and a new start, one process after the other",
        fault: Fault::RollingRestarts,
        allows: &[],
        short: true,
    },
    Scenario {
        name: "wiped-queues",
        about: "all queues of RabbitMQ are deleted",
        fault: Fault::Wiped(Wipe::Queues),
        allows: &[],
        short: false,
    },
    Scenario {
        name: "wiped-rabbitmq",
        about: "RabbitMQ is killed and begins anew, empty",
        fault: Fault::Wiped(Wipe::Data),
        allows: &[],
        short: false,
    },
    Scenario {
        name: "clock-skew",
        about: "the sender's clock is wrong, within the replay window and outside",
        fault: Fault::Skew,
        allows: &[Refusals],
        short: false,
    },
    Scenario {
        name: "poison",
        about: "a message kills every worker that reads it",
        fault: Fault::Poison,
        allows: &[DeadLetters],
        short: false,
    },
    api("api-down", "the API answers 503", ApiTrouble::Down, true),
    api("api-slow", "the API takes 3 s for each answer", ApiTrouble::Slow, false),
    api("api-throttling", "the API answers 429", ApiTrouble::Throttling, false),
    api("api-unauthorized", "the API answers 401", ApiTrouble::Unauthorized, false),
    api("api-rubbish", "the API answers half-sent, empty and foreign bodies", ApiTrouble::Rubbish, false),
    api("api-flaky", "every third call of the API fails", ApiTrouble::Flaky, false),
];

const fn api(name: &'static str, about: &'static str, trouble: ApiTrouble, short: bool) -> Scenario {
    Scenario { name, about, fault: Fault::Api(trouble), allows: &[DeadLetters], short }
}
