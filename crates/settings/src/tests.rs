use super::*;
use clap::{Args, FromArgMatches};

fn parsed<T: Args + FromArgMatches>(args: &[&str]) -> T {
    let command = T::augment_args(clap::Command::new("test"));
    let matches = command.try_get_matches_from(std::iter::once("test").chain(args.iter().copied())).unwrap();
    T::from_arg_matches(&matches).unwrap()
}

#[test]
fn all_problems_are_told_at_once() {
    let mut problems = Problems::new();
    let database: DatabaseArgs = parsed(&["--database-url", "mysql://x:hunter2@y/z"]);
    let broker: BrokerArgs = parsed(&["--amqp-url", "http://x", "--queue-prefix", "a b"]);
    assert!(database.validate(&mut problems).is_none());
    assert!(broker.validate(&mut problems).is_none());
    let text = problems.into_result::<()>(None).unwrap_err().to_string();
    assert!(
        text.contains("DATABASE_URL") && text.contains("AMQP_URL") && text.contains("QUEUE_PREFIX"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn secrets_may_come_from_files_and_are_never_printed() {
    let folder = std::env::temp_dir().join(format!("settings-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("key");
    std::fs::write(&file, "sk-ant-api-secret\n").unwrap();
    let args: ClaudeArgs = parsed(&["--api-key-file", file.to_str().unwrap()]);
    let mut problems = Problems::new();
    let claude = args.validate(&mut problems).unwrap();
    assert_eq!(claude.key.reveal(), "sk-ant-api-secret");
    assert!(!format!("{args:?}{claude:?}").contains("secret"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn several_signing_secrets_serve_at_once() {
    let args: SignatureArgs =
        parsed(&["--signing-key", "whsec_c2VjcmV0Cg==, whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]);
    let signatures = args.validate(&mut Problems::new()).unwrap();
    assert_eq!(signatures.secrets.len(), 2);
    assert_eq!(signatures.tolerance_seconds, 300);
}

#[test]
fn a_bad_signing_secret_is_named_by_its_place_only() {
    let args: SignatureArgs = parsed(&["--signing-key", "whsec_c2VjcmV0Cg== whsec_%%%"]);
    let mut problems = Problems::new();
    assert!(args.validate(&mut problems).is_none());
    let text = problems.into_result::<()>(None).unwrap_err().to_string();
    assert!(text.contains("secret number 2") && !text.contains("%%%"), "{text}");
}

#[test]
fn delays_are_lists_of_durations() {
    assert_eq!(delays("10s,60s").unwrap(), [chrono::TimeDelta::seconds(10), chrono::TimeDelta::seconds(60)]);
    assert_eq!(delays("500ms, 1m").unwrap().len(), 2);
    assert!(delays("soon").unwrap_err().contains("\"soon\""));
    assert!(delays("2days").is_err());
}

#[test]
fn sinks_are_checked_whole_and_never_printed() {
    let nobody: SinkArgs = parsed(&[]);
    let nobody = nobody.validate(&mut Problems::new()).unwrap();
    assert!(nobody.webhook.is_none() && nobody.slack.is_none());
    let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let both: SinkArgs = parsed(&[
        "--alert-webhook-url=https://hooks.example/private",
        &format!("--alert-webhook-secret={secret}"),
        "--alert-slack-url=https://slack.example/private",
    ]);
    let checked = both.validate(&mut Problems::new()).unwrap();
    assert!(checked.webhook.is_some() && checked.slack.is_some());
    let printed = format!("{both:?}{checked:?}");
    assert!(!printed.contains("private") && !printed.contains("AAECAw"), "{printed}");
    for wrong in [
        &["--alert-webhook-url=https://hooks.example/private"][..],
        &["--alert-webhook-secret=whsec_AAAA"],
        &["--alert-webhook-url=ftp://private", "--alert-webhook-secret=whsec_AAAA"],
        &["--alert-webhook-url=https://private", "--alert-webhook-secret=whsec_%%%"],
        &["--alert-slack-url=private"],
    ] {
        let mut problems = Problems::new();
        let args: SinkArgs = parsed(wrong);
        assert!(args.validate(&mut problems).is_none(), "{wrong:?}");
        let text = problems.into_result::<()>(None).unwrap_err().to_string();
        assert!(text.contains("HOLDFAST_ALERT_") && !text.contains("private"), "{wrong:?}: {text}");
    }
}
