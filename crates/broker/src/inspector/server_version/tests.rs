use super::version_in;

#[test]
fn the_version_is_found_among_the_other_properties() {
    let greeting = b"\x00\x0a\x00\x0a\x00\x09....\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x054.1.3\x05x";
    assert_eq!(version_in(greeting).as_deref(), Some("4.1.3"));
}

#[test]
fn a_greeting_without_a_whole_version_has_none() {
    for greeting in [&b""[..], b"\x07version", b"\x07versionS\x00\x00", b"\x07versionS\x00\x00\x00\x094.1"] {
        assert_eq!(version_in(greeting), None, "{greeting:?}");
    }
}
