use super::{Segment, join, parse_base};
use crate::Error;
use domain::ResourceKind;
use proptest::prelude::*;
use reqwest::Url;

fn session_path(id: &str) -> Result<String, Error> {
    let base = parse_base("http://api.test")?;
    Ok(join(
        &base,
        &[Segment::Word("sessions"), Segment::Id(ResourceKind::Session, id), Segment::Word("events")],
    )?
    .path()
    .to_owned())
}

#[test]
fn separators_in_an_id_are_encoded() {
    let path = session_path("../x?y=1#z%2e\\ü").unwrap();
    assert_eq!(path, "/v1/sessions/..%2Fx%3Fy=1%23z%252e%5C%C3%BC/events");
}

#[test]
fn an_id_that_is_no_name_is_refused() {
    for id in ["", ".", "..", ".\n.", "a\tb", "a\0b", "\u{85}"] {
        let error = session_path(id).unwrap_err();
        assert!(matches!(error, Error::InvalidId { kind: "session", .. }), "{id:?}: {error}");
    }
}

#[test]
fn a_path_prefix_of_the_base_is_kept() {
    for base in ["https://proxy.test/claude", "https://proxy.test/claude/"] {
        let url = join(&parse_base(base).unwrap(), &[Segment::Word("sessions")]).unwrap();
        assert_eq!(url.as_str(), "https://proxy.test/claude/v1/sessions");
    }
}

#[test]
fn a_base_that_could_hide_something_is_refused() {
    for base in ["", "api.test", "ftp://a.test", "http://u:p@a.test", "http://a.test/?q", "http://a.test/#f"]
    {
        let error = parse_base(base).unwrap_err();
        assert!(matches!(error, Error::BaseUrl { .. }), "{base:?}");
    }
}

proptest! {
    #[test]
    fn an_id_never_leaves_its_segment(id in "\\PC{1,20}|[./%\\\\?#]{1,6}|%2[eE](%2[eE])?") {
        if let Ok(path) = session_path(&id) {
            let segments: Vec<&str> = path.split('/').collect();
            prop_assert_eq!(segments.len(), 5);
            prop_assert_eq!(&segments[..3], &["", "v1", "sessions"]);
            prop_assert_eq!(segments[4], "events");
            // Reading the URL again, as a server would, must not change it.
            let again = Url::parse(&format!("http://api.test{path}")).unwrap();
            prop_assert_eq!(again.path(), path);
        }
    }
}
