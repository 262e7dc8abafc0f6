use super::*;

fn read(arguments: &[&str]) -> Cli {
    Cli::from_arg_matches(&Cli::tree().try_get_matches_from(arguments).unwrap()).unwrap()
}

#[test]
fn the_command_line_is_sound() {
    Cli::tree().debug_assert();
}

#[test]
fn a_worker_logs_more_than_a_command() {
    assert_eq!(read(&["worker", "run", "--log", "info"]).telemetry().log_filter, "lapin=error,info");
    assert_eq!(read(&["worker", "dlq", "stats", "--log", "warn"]).telemetry().log_filter, "lapin=error,warn");
    assert_eq!(read(&["worker", "--log", "debug", "run"]).telemetry().log_filter, "lapin=error,debug");
}

#[test]
fn any_value_of_no_color_switches_colours_off() {
    assert_eq!(is_set("1"), Ok(true));
    assert_eq!(is_set("0"), Ok(true));
    assert_eq!(is_set(""), Ok(false));
}
