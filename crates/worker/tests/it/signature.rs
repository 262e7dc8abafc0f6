//! `worker doctor signature`.

use crate::lab::{Said, worker};
use anyhow::Result;
use serde_json::json;
use signing::{Secret, sign, sign_body_base64};
use std::io::Write;
use tempfile::NamedTempFile;

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SIGNED_AT: &str = "1773568805";
const BODY: &[u8] = br#"{"id":"whe_1"}"#;

fn body_file() -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(BODY)?;
    Ok(file)
}

async fn doctor(args: &[&str]) -> Result<Said> {
    let file = body_file()?;
    let body = file.path().to_string_lossy().into_owned();
    let all = [&["doctor", "signature", "--json", "--body", &body], args].concat();
    worker(&all, &[("ANTHROPIC_WEBHOOK_SIGNING_KEY", SECRET)]).await
}

#[tokio::test]
async fn a_right_signature_is_accepted_with_no_other_setting() -> Result<()> {
    let signature = sign(&Secret::parse(SECRET)?, "whe_1", SIGNED_AT.parse()?, BODY);
    let short = ["--id", "whe_1", "--timestamp", SIGNED_AT, "--signature", &signature, "--now", "1773568830"];
    let said = doctor(&short).await?;
    let expected = json!({ "accepted": true, "scheme": "standard", "secret_number": 1, "skew_seconds": 25, "findings": [] });
    assert_eq!((said.code, said.json()?), (Some(0), expected));
    let (timestamp, value) =
        (format!("Webhook-Timestamp: {SIGNED_AT}"), format!("webhook-signature: {signature}"));
    let headers = [
        "--header",
        "Webhook-Id: whe_1",
        "--header",
        &timestamp,
        "--header",
        &value,
        "--header",
        "x-other: 1",
        "--now",
        "2026-03-15T10:00:30Z",
    ];
    assert_eq!(doctor(&headers).await?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn a_wrong_signature_is_explained_and_exits_1() -> Result<()> {
    let signature = sign_body_base64(&Secret::parse(SECRET)?, BODY);
    let args = ["--id", "whe_1", "--timestamp", SIGNED_AT, "--signature", &format!("v1,{signature}")];
    let said = doctor(&[&args[..], &["--now", "1773568830"]].concat()).await?;
    let answer = said.json()?;
    assert_eq!(
        (said.code, &answer["accepted"], &answer["reason"]),
        (Some(1), &json!(false), &json!("no_match"))
    );
    assert_eq!(answer["findings"][0]["code"], "body_only");
    assert!(!said.stdout.contains(&signature), "{}", said.stdout);
    let late = doctor(&args).await?;
    assert_eq!((late.code, &late.json()?["reason"]), (Some(1), &json!("too_old")));
    Ok(())
}

#[tokio::test]
async fn a_missing_secret_or_body_is_told() -> Result<()> {
    let said = worker(&["doctor", "signature", "--body", "-"], &[]).await?;
    assert_eq!(said.code, Some(64));
    assert!(said.stderr.contains("ANTHROPIC_WEBHOOK_SIGNING_KEY"), "{}", said.stderr);
    let envs = [("ANTHROPIC_WEBHOOK_SIGNING_KEY", SECRET)];
    let said = worker(&["doctor", "signature", "--body", "/does/not/exist"], &envs).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert!(said.stderr.contains("cannot read /does/not/exist"), "{}", said.stderr);
    Ok(())
}
