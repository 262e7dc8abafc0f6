//! With which secrets deliveries are verified.

use crate::hidden::{Hidden, secret};
use crate::problems::Problems;
use clap::{Args, ValueEnum};
use signing::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// Which signature headers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemeChoice {
    /// The three webhook-* headers, and X-Webhook-Signature where they are absent
    All,
    /// The three webhook-* headers only
    Standard,
}

/// Signatures
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signatures")]
pub struct SignatureArgs {
    /// Signing secret of the endpoint, as the Console shows it once (whsec_…); several, separated by commas or
    /// white space, while one replaces another
    #[arg(
        long,
        env = "ANTHROPIC_WEBHOOK_SIGNING_KEY",
        hide_env_values = true,
        value_name = "SECRETS",
        global = true
    )]
    signing_key: Option<Hidden>,

    /// File that holds the signing secrets
    #[arg(long, env = "ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE", value_name = "FILE", global = true)]
    signing_key_file: Option<PathBuf>,

    /// Which signature headers count
    #[arg(long, env = "HOLDFAST_SIGNATURE_SCHEMES", value_enum, default_value_t = SchemeChoice::All, global = true)]
    signature_schemes: SchemeChoice,

    /// How far a delivery's clock may be from ours, in both directions
    #[arg(long, env = "HOLDFAST_SIGNATURE_TOLERANCE", value_name = "TIME", default_value = "300s", value_parser = humantime::parse_duration, global = true)]
    signature_tolerance: Duration,
}

/// With which secrets deliveries are verified, checked.
#[derive(Debug, Clone)]
pub struct Signatures {
    /// All live secrets, in the order given.
    pub secrets: Vec<Secret>,
    /// Which headers count.
    pub schemes: signing::Schemes,
    /// Width of the window in each direction, in seconds.
    pub tolerance_seconds: u32,
}

impl SignatureArgs {
    /// Checks the group.
    pub fn validate(&self, problems: &mut Problems) -> Option<Signatures> {
        let names = "--signing-key (ANTHROPIC_WEBHOOK_SIGNING_KEY)";
        if self.signing_key.is_none() && self.signing_key_file.is_none() {
            problems.note(format!("{names} is missing: the secret that the Console showed when the endpoint was made; there is no unsigned mode"));
        }
        let text = secret(self.signing_key.as_ref(), self.signing_key_file.as_deref(), names, problems)?;
        let parts =
            text.reveal().split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
        let mut secrets = Vec::new();
        for (index, part) in parts.enumerate() {
            match Secret::parse(part) {
                Ok(secret) => secrets.push(secret),
                Err(error) => {
                    problems.note(format!("{names}: secret number {} cannot be used: {error}", index + 1));
                    return None;
                }
            }
        }
        if secrets.is_empty() {
            problems.note(format!("{names} holds no secret"));
            return None;
        }
        let schemes = match self.signature_schemes {
            SchemeChoice::All => signing::Schemes::All,
            SchemeChoice::Standard => signing::Schemes::Standard,
        };
        let tolerance_seconds = u32::try_from(self.signature_tolerance.as_secs()).unwrap_or(u32::MAX);
        Some(Signatures { secrets, schemes, tolerance_seconds })
    }
}
