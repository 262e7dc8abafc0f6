//! Credentials of vaults. What is secret about them is forgotten on arrival.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    clock,
    world::{
        World,
        catalog::{
            Kind,
            listing::ListRules,
            rules::{Calls, METADATA, Rules, Shape, or, required},
        },
        refusal::Refusal,
        session::merge,
        stamp::{Object, object, text},
    },
};

/// As many as a vault takes.
pub(super) const PER_VAULT: usize = 20;

pub(super) const RULES: Rules = Rules {
    name: "vault_credential",
    prefix: "vcrd",
    path: "/vaults/{vault_id}/credentials",
    parent: Some(Kind::Vault),
    members: &[required("auth", Shape::Object), or("display_name", Shape::TextOrNull, "null"), METADATA],
    initial: "{}",
    normalize: keep_no_secret,
    calls: Calls::Delete,
    announces_updates: false,
    list: ListRules { max_limit: 100, filters: &["include_archived"] },
};

/// Each kind of authentication with the members that are shown, as JSON with their defaults.
const SHOWN: [(&str, &str); 3] = [
    ("mcp_oauth", r#"{"mcp_server_url":null,"expires_at":null,"refresh":null}"#),
    ("static_bearer", r#"{"mcp_server_url":null}"#),
    (
        "environment_variable",
        r#"{"secret_name":null,"networking":{"type":"unrestricted"},"injection_location":{"header":true,"body":false}}"#,
    ),
];

const SHOWN_OF_REFRESH: [&str; 5] =
    ["client_id", "token_endpoint", "token_endpoint_auth", "scope", "resource"];

fn keep_no_secret(given: &mut Object) -> Result<(), Refusal> {
    let Some(auth) = given.get_mut("auth").and_then(Value::as_object_mut) else { return Ok(()) };
    let kind = text(auth, "type").to_owned();
    let (_, shown) = SHOWN
        .iter()
        .find(|(known, _)| *known == kind)
        .ok_or_else(|| Refusal::invalid("auth.type: mcp_oauth, static_bearer or environment_variable"))?;
    let mut kept: Object = serde_json::from_str(shown).unwrap_or_default();
    for (name, value) in &mut kept {
        if let Some(given) = auth.get(name) {
            *value = given.clone();
        }
    }
    if let Some(refresh) = kept.get_mut("refresh").and_then(Value::as_object_mut) {
        refresh.retain(|name, _| SHOWN_OF_REFRESH.contains(&name.as_str()));
        if let Some(how) = refresh.get_mut("token_endpoint_auth").and_then(Value::as_object_mut) {
            how.retain(|name, _| name == "type");
        }
    }
    kept.insert("type".into(), kind.into());
    *auth = kept;
    Ok(())
}

impl World {
    /// The live probe of an OAuth credential: what a scenario or `PUT /_sim/validations/{id}` said it finds.
    pub(crate) fn validate(
        &mut self,
        vault: &str,
        credential: &str,
        now: DateTime<Utc>,
    ) -> Result<Value, Refusal> {
        let found = self.catalog.get(Kind::Credential, credential)?;
        if found.text("vault_id") != vault {
            return Err(Refusal::NotFound { what: RULES.name });
        }
        let auth = found.object.get("auth").cloned().map(object).unwrap_or_default();
        if text(&auth, "type") != "mcp_oauth" {
            return Err(Refusal::invalid("only mcp_oauth credentials can be validated"));
        }
        if found.is_archived() {
            return Err(Refusal::invalid("the credential is archived"));
        }
        let can_refresh = auth.get("refresh").is_some_and(Value::is_object);
        let mut answer = object(json!({
            "type": "vault_credential_validation", "credential_id": credential, "vault_id": vault,
            "validated_at": clock::millis(now), "has_refresh_token": can_refresh, "status": "valid",
            "refresh": null, "mcp_probe": null,
        }));
        merge(&mut answer, found.validation.clone());
        Ok(Value::Object(answer))
    }

    /// Says what validations of a credential answer.
    pub(crate) fn script_validation(&mut self, id: &str, answer: Object) -> Result<(), Refusal> {
        self.catalog.get(Kind::Credential, id)?.validation = answer;
        Ok(())
    }

    /// The refresh token was refused for good; validations say so from now on.
    pub(super) fn fail_refresh(&mut self, id: &str) -> Result<(), Refusal> {
        let refused = json!({ "status_code": 400, "content_type": "application/json",
            "body": "{\"error\":\"invalid_grant\"}", "body_truncated": false });
        let unauthorized = json!({ "status_code": 401, "content_type": "application/json",
            "body": "{\"error\":\"invalid_token\"}", "body_truncated": false });
        let found = self.catalog.get(Kind::Credential, id)?;
        found.validation = object(json!({
            "status": "invalid", "has_refresh_token": true,
            "refresh": { "status": "failed", "http_response": refused },
            "mcp_probe": { "method": "initialize", "http_response": unauthorized },
        }));
        Ok(())
    }
}
