use super::*;

fn read(arguments: &[&str]) -> Cli {
    Cli::from_arg_matches(&Cli::tree().try_get_matches_from(arguments).unwrap()).unwrap()
}

#[test]
fn the_command_line_is_sound() {
    Cli::tree().debug_assert();
}

#[test]
fn the_log_filter_may_stand_before_or_behind_the_command() {
    let filter = |arguments: &[&str]| read(arguments).telemetry().log_filter;
    assert!(filter(&["worker", "run", "--log", "info"]).ends_with(",info"));
    assert_eq!(filter(&["worker", "dlq", "stats", "--log", "warn"]), "lapin=off,warn");
    assert!(filter(&["worker", "--log", "debug", "run"]).ends_with(",debug"));
}

#[test]
fn any_value_of_no_color_switches_colours_off() {
    assert_eq!(is_set("1"), Ok(true));
    assert_eq!(is_set("0"), Ok(true));
    assert_eq!(is_set(""), Ok(false));
}
