mod deliveries;
mod signers;

use super::*;
use crate::key::{Digest, Key};
use crate::{DEFAULT_TOLERANCE_SECONDS, sign};

const NOW: i64 = 1_773_568_830;
const TIME: &str = "1773568805";
const ID: &str = "whe_1";
const TEXT: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const BODY: &str = r#"{"type":"event","id":"whe_1","data":{"title":"Größe","tags":[]}}"#;

fn secret() -> Secret {
    Secret::parse(TEXT).expect("the secret is well-formed")
}

fn other_secret() -> Secret {
    Secret::parse("whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=").expect("the secret is well-formed")
}

/// What the right key makes of some content.
fn digest(content: &str) -> Digest {
    secret().signing_key().tag(content, b"").into_digest()
}

fn standard_content(body: &str) -> String {
    format!("{ID}.{TIME}.{body}")
}

fn standard(signature: &str) -> Headers<'_> {
    Headers {
        webhook_id: Some(ID),
        webhook_timestamp: Some(TIME),
        webhook_signature: Some(signature),
        ..Headers::default()
    }
}

fn x_only(signature: &str) -> Headers<'_> {
    Headers { x_webhook_signature: Some(signature), ..Headers::default() }
}

fn findings(headers: &Headers<'_>, body: &str, secrets: &[Secret], schemes: Schemes) -> Vec<Finding> {
    diagnose(headers, body.as_bytes(), secrets, NOW, DEFAULT_TOLERANCE_SECONDS, schemes).findings
}

fn codes(headers: &Headers<'_>, body: &str) -> Vec<Code> {
    findings(headers, body, &[secret()], Schemes::All).into_iter().map(|finding| finding.code).collect()
}
