use super::*;

#[test]
fn a_header_is_split_at_its_first_colon() {
    let read = header("Webhook-Id:  a:b ").unwrap();
    assert_eq!(read, ("webhook-id".to_owned(), "a:b".to_owned()));
    assert!(header("webhook-id").is_err());
}

#[test]
fn a_short_option_wins_over_the_header() {
    let args = DeliveryArgs {
        body: "-".to_owned(),
        headers: vec![header("webhook-id: far").unwrap(), header("webhook-timestamp: 5").unwrap()],
        id: Some("near".to_owned()),
        timestamp: None,
        signature: None,
    };
    let headers = args.headers();
    assert_eq!((headers.webhook_id, headers.webhook_timestamp), (Some("near"), Some("5")));
    assert_eq!(headers.webhook_signature, None);
}
