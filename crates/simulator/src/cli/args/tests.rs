use clap::CommandFactory;

use super::*;

#[test]
fn the_command_line_is_consistent() {
    Args::command().debug_assert();
}

#[test]
fn the_documented_invocations_parse() {
    for line in [
        "simulator serve --listen 127.0.0.1:0 --signing-key whsec_x --api-key k --seed 3 --time-scale 0.1",
        "simulator send --count 5 --sessions 2 --duplicates 0.2 --shuffle --rate 10 --stale 1 --bad-signatures 2",
        "simulator send --simulator http://127.0.0.1:1 --dialect mixed --fail-session --json",
        "simulator fault add /v1/sessions --status 429 --retry-after 2 --times 3",
        "simulator fault clear --simulator http://127.0.0.1:1",
        "simulator state",
        "simulator live --sessions 200 --drop 0.3 --duplicates 0.2 --shuffle-ms 500 --patience-seconds 60 --seed 1",
        "simulator serve --drop 0.3 --requests-per-minute 600",
        "simulator send --count 10 --drop 0.3",
        "simulator executor --listen 127.0.0.1:0 --secret whsec_x --fail 2 --delay 10",
    ] {
        assert!(Args::try_parse_from(line.split(' ')).is_ok(), "{line}");
    }
}

#[test]
fn every_option_is_explained() {
    for command in Args::command().get_subcommands() {
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
        }
    }
}
