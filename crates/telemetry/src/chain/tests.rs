use super::Chain;

#[derive(Debug, thiserror::Error)]
enum Example {
    #[error("cannot read the settings")]
    Outer(#[source] Box<Example>),
    #[error("cannot open the file")]
    Middle(#[source] std::io::Error),
}

#[test]
fn a_chain_shows_every_source_once() {
    let cause = std::io::Error::other("disk on fire");
    let error = Example::Outer(Box::new(Example::Middle(cause)));
    assert_eq!(Chain(&error).to_string(), "cannot read the settings: cannot open the file: disk on fire");
}

#[test]
fn an_error_without_a_source_is_shown_alone() {
    assert_eq!(Chain(&std::io::Error::other("disk on fire")).to_string(), "disk on fire");
}
