use super::TraceContext;
use proptest::prelude::*;

const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn the_example_of_the_specification_is_read_and_written_back() {
    let context: TraceContext = EXAMPLE.parse().unwrap();
    assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
    assert!(context.is_sampled());
    assert_eq!(context.to_string(), EXAMPLE);
}

#[test]
fn what_the_specification_forbids_is_refused() {
    for bad in [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
    ] {
        assert!(bad.parse::<TraceContext>().is_err(), "{bad}");
    }
}

#[test]
fn a_later_version_may_say_more() {
    let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
    assert_eq!(later.parse::<TraceContext>().unwrap().to_string(), EXAMPLE);
}

#[test]
fn without_a_span_the_current_context_is_a_new_valid_trace_every_time() {
    let (one, other) = (TraceContext::current(), TraceContext::current());
    assert_ne!(one.trace_id(), other.trace_id());
    assert_eq!(one.to_string().parse::<TraceContext>().unwrap(), one);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic_and_what_is_accepted_is_stable(text in "\\PC{0,70}") {
        if let Ok(context) = text.parse::<TraceContext>() {
            prop_assert_eq!(context.to_string().parse::<TraceContext>().unwrap(), context);
        }
    }

    #[test]
    fn any_context_survives_the_round_trip(trace in 1_u128.., span in 1_u64.., flags: u8) {
        let text = format!("00-{trace:032x}-{span:016x}-{flags:02x}");
        prop_assert_eq!(text.parse::<TraceContext>().unwrap().to_string(), text);
    }
}
