//! Processes of tests.

use anyhow::Result;
use std::net::TcpListener;
use testkit::Process;
use testkit::process::free_port;

#[test]
fn a_binary_that_was_not_built_is_named_with_the_way_to_build_it() {
    let error = Process::spawn("no-such-binary", &[], &[]).expect_err("there is no such binary");
    let text = format!("{error:#}");
    assert!(text.contains("no-such-binary") && text.contains("cargo build --workspace"), "{text}");
}

#[test]
fn a_free_port_can_be_bound() -> Result<()> {
    TcpListener::bind(("127.0.0.1", free_port()?))?;
    Ok(())
}
