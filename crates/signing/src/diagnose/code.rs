//! The catalogue of findings.

use std::fmt;

/// The stable name of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// A required header is absent or empty.
    MissingHeader,
    /// There is an `X-Webhook-Signature`, which this endpoint does not read.
    XHeaderIgnored,
    /// There is no secret to verify with.
    NoSecret,
    /// The timestamp is not whole Unix seconds.
    TimestampUnreadable,
    /// The timestamp counts milliseconds, or something finer.
    TimestampInMilliseconds,
    /// Signed too long ago.
    TooOld,
    /// Signed too far in the future.
    TooNew,
    /// The signature is right; another finding names what is wrong.
    SignatureRight,
    /// Signed with the text after `whsec_` instead of the bytes it encodes.
    SecretNotDecoded,
    /// Signed with the secret's whole text, its prefix included.
    SecretPrefixInKey,
    /// Another secret than the first one matches.
    OtherSecret,
    /// The signature covers the body alone.
    BodyOnly,
    /// The signature covers time and body, not the id.
    IdNotSigned,
    /// The signature covers more than its form says.
    OtherForm,
    /// The signature covers another id than the header's.
    IdRewritten,
    /// The id in the header is not the id in the body.
    IdDiffersFromBody,
    /// The digest is in hex where base64 is expected.
    HexEncoding,
    /// The digest is in base64 with the URL-safe alphabet.
    UrlSafeBase64,
    /// The digest is in base64 without its padding.
    UnpaddedBase64,
    /// The digest does not stand behind `v1,`.
    VersionLabel,
    /// Only asymmetric (`v1a`) signatures were sent.
    OnlyAsymmetric,
    /// Nothing in the signature header is a digest.
    MalformedSignature,
    /// A newline was appended to the body after it was signed.
    NewlineAdded,
    /// The body lost its last newline after it was signed.
    NewlineLost,
    /// The body's line endings were changed after it was signed.
    LineEndingsChanged,
    /// The body was parsed and written again after it was signed.
    JsonReserialised,
    /// No known mistake explains the signature.
    Unexplained,
}

impl Code {
    /// The name in machine-readable output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::XHeaderIgnored => "x_header_ignored",
            Self::NoSecret => "no_secret",
            Self::TimestampUnreadable => "timestamp_unreadable",
            Self::TimestampInMilliseconds => "timestamp_in_milliseconds",
            Self::TooOld => "too_old",
            Self::TooNew => "too_new",
            Self::SignatureRight => "signature_right",
            Self::SecretNotDecoded => "secret_not_decoded",
            Self::SecretPrefixInKey => "secret_prefix_in_key",
            Self::OtherSecret => "other_secret",
            Self::BodyOnly => "body_only",
            Self::IdNotSigned => "id_not_signed",
            Self::OtherForm => "other_form",
            Self::IdRewritten => "id_rewritten",
            Self::IdDiffersFromBody => "id_differs_from_body",
            Self::HexEncoding => "hex_encoding",
            Self::UrlSafeBase64 => "url_safe_base64",
            Self::UnpaddedBase64 => "unpadded_base64",
            Self::VersionLabel => "version_label",
            Self::OnlyAsymmetric => "only_asymmetric",
            Self::MalformedSignature => "malformed_signature",
            Self::NewlineAdded => "newline_added",
            Self::NewlineLost => "newline_lost",
            Self::LineEndingsChanged => "line_endings_changed",
            Self::JsonReserialised => "json_reserialised",
            Self::Unexplained => "unexplained",
        }
    }

    /// What the person should know and do, whatever the delivery.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::MissingHeader => "Send it, and let every proxy on the way pass it on unchanged.",
            Self::XHeaderIgnored => {
                "There is an `X-Webhook-Signature`, but this endpoint reads only the three `webhook-*` headers: \
                 send those, or accept all signature schemes."
            }
            Self::NoSecret => {
                "There is no secret to verify with: give the `whsec_` secret that the sender's console showed when \
                 the endpoint was made."
            }
            Self::TimestampUnreadable => {
                "The timestamp is not whole Unix seconds in decimal digits: send for example `1773568805`, without \
                 sign or fraction."
            }
            Self::TimestampInMilliseconds => {
                "The timestamp is too large for seconds and looks like milliseconds: divide by 1000 before signing \
                 and before sending."
            }
            Self::TooOld => {
                "Every attempt is signed anew, so this is an old one sent again, or one that waited in a proxy, or \
                 the clocks are apart: check both with NTP, and examine a captured delivery with the time of its \
                 capture."
            }
            Self::TooNew => "The sender's clock is ahead or the one here is behind: check both with NTP.",
            Self::SignatureRight => {
                "The signature itself is right: secret and body are fine, only what is named beside this is wrong."
            }
            Self::SecretNotDecoded => {
                "The sender used the text after `whsec_` as the key: base64-decode that text and sign with the \
                 decoded bytes."
            }
            Self::SecretPrefixInKey => {
                "The sender used the secret's text with its `whsec_` prefix as the key: strip the prefix, \
                 base64-decode the rest and sign with the decoded bytes."
            }
            Self::OtherSecret => {
                "That is fine while secrets are being rotated; otherwise the sender still uses a secret that is \
                 about to be retired here."
            }
            Self::BodyOnly => {
                "The signature covers the body alone, as some published examples do: sign \
                 `<id>.<timestamp>.<body>`, with the values of the id and timestamp headers."
            }
            Self::IdNotSigned => {
                "The signature covers `<timestamp>.<body>`: put the id before it and sign `<id>.<timestamp>.<body>`."
            }
            Self::OtherForm => {
                "The signature covers more than its form promises: send one over `<id>.<timestamp>.<body>` as \
                 `v1,<base64>`, together with the id and timestamp headers."
            }
            Self::IdRewritten => {
                "The signature is right for another id than the one in the id header: send the id that was signed, \
                 and look for a proxy that replaces the header."
            }
            Self::IdDiffersFromBody => {
                "The id header and the id in the body differ, while the platform sends the same in both: if this is \
                 not a test sender, find out what changed one of them."
            }
            Self::HexEncoding => "The digest is written in hex: write it in standard base64 with padding.",
            Self::UrlSafeBase64 => {
                "The digest is written with the URL-safe base64 alphabet (`-` and `_`): use the standard one (`+` \
                 and `/`) with padding."
            }
            Self::UnpaddedBase64 => "The digest lacks its base64 padding: keep the `=` at its end.",
            Self::VersionLabel => "The digest is right but not labelled so: write it as `v1,<base64>`.",
            Self::OnlyAsymmetric => {
                "There are only asymmetric signatures (`v1a`), which cannot be verified with a `whsec_` secret: have \
                 the sender add a `v1` signature."
            }
            Self::MalformedSignature => {
                "Nothing in the signature header is a digest of 32 bytes: it may have been cut off, quoted or \
                 re-encoded on the way; the expected form is `v1,` followed by 44 characters of base64."
            }
            Self::NewlineAdded => {
                "The signature is right for the body without its last newline: pass the body on byte by byte (an \
                 editor, `echo` or a heredoc appends a newline, `curl --data-binary @file` does not)."
            }
            Self::NewlineLost => {
                "The signature is right for the body with a newline at its end: pass the body on byte by byte, \
                 without trimming it (`curl --data-binary`, not `--data`)."
            }
            Self::LineEndingsChanged => {
                "The signature is right for the body with other line endings: pass the body on byte by byte, in \
                 binary mode."
            }
            Self::JsonReserialised => {
                "The body was parsed and written again on the way: sign and verify the raw bytes of the request, \
                 before any JSON middleware."
            }
            Self::Unexplained => {
                "No known mistake explains this signature: compare the secret with the one the sender shows for \
                 exactly this endpoint (each endpoint and each rotation has its own), and make sure that the body is \
                 the raw request body, before any middleware has decoded or changed it."
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
