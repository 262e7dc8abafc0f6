use super::AmqpUrl;

fn parse(text: &str) -> AmqpUrl {
    text.parse().unwrap()
}

#[test]
fn neither_debug_nor_display_tells_the_credentials() {
    let url = parse("amqp://someone:hunter2@broker.example:5673/prod");
    for text in [format!("{url}"), format!("{url:?}")] {
        assert!(text.contains("broker.example:5673"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("someone"), "{text}");
    }
}

#[test]
fn a_url_that_cannot_be_read_is_not_quoted_in_the_error() {
    for text in [
        "someone:hunter2@broker",
        "http://someone:hunter2@broker",
        "amqp://someone:hunter2@broker:99999999",
        "",
    ] {
        let error = text.parse::<AmqpUrl>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_missing_or_empty_virtual_host_is_the_default_one() {
    assert_eq!(parse("amqp://broker").uri().vhost, "/");
    assert_eq!(parse("amqp://broker/").uri().vhost, "/");
    assert_eq!(parse("amqp://broker/%2f").uri().vhost, "/");
    assert_eq!(parse("amqp://broker/prod").uri().vhost, "prod");
}

#[test]
fn an_ipv6_address_is_not_replaced_by_localhost() {
    let url = parse("amqp://user:pass@[2001:db8::1]:5673/%2f");
    assert_eq!(url.uri().authority.host, "2001:db8::1");
    assert_eq!(url.uri().authority.port, 5673);
}
