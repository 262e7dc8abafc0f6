//! Spellings of the body that may have been signed instead of the one at hand.

use std::borrow::Cow;

use super::json::{Escapes, Layout, rewrite};
use super::{Code, Finding};

pub(super) struct Spelling<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) departure: Option<Finding>,
}

/// The body as it is, then every spelling of it that differs.
pub(super) fn spellings(body: &[u8]) -> Vec<Spelling<'_>> {
    let changed = newline(body).into_iter().chain(line_endings(body)).chain(json(body));
    let changed = changed.filter(|(bytes, _)| bytes != body);
    let changed = changed.map(|(bytes, finding)| Spelling { bytes: bytes.into(), departure: Some(finding) });
    std::iter::once(Spelling { bytes: body.into(), departure: None }).chain(changed).collect()
}

fn newline(body: &[u8]) -> Vec<(Vec<u8>, Finding)> {
    let with = |newline: &[u8]| ([body, newline].concat(), Code::NewlineLost.into());
    let without = body
        .strip_suffix(b"\r\n")
        .or_else(|| body.strip_suffix(b"\n"))
        .map(|stripped| (stripped.to_vec(), Code::NewlineAdded.into()));
    [with(b"\n"), with(b"\r\n")].into_iter().chain(without).collect()
}

fn line_endings(body: &[u8]) -> Vec<(Vec<u8>, Finding)> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Vec::new();
    };
    let lf = text.replace("\r\n", "\n");
    let crlf = lf.replace('\n', "\r\n");
    [lf, crlf].map(|text| (text.into_bytes(), Code::LineEndingsChanged.into())).into()
}

/// The spellings of the common writers of JSON. The order of members is taken as it is: a writer that sorts them
/// has destroyed what was signed.
fn json(body: &[u8]) -> Vec<(Vec<u8>, Finding)> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Vec::new();
    };
    let styles = [
        (Layout::Compact, Escapes::Few, "", "without white space"),
        (
            Layout::Compact,
            Escapes::Ascii,
            "",
            "without white space and with all non-ASCII characters escaped",
        ),
        (
            Layout::OneLine,
            Escapes::Ascii,
            "",
            "on one line with a space after `,` and `:`, as Python writes it",
        ),
        (Layout::OneLine, Escapes::Few, "", "on one line with a space after `,` and `:`"),
        (Layout::Indented(2), Escapes::Few, "", "indented by two spaces"),
        (Layout::Indented(2), Escapes::Few, "\n", "indented by two spaces and ending in a newline"),
        (Layout::Indented(4), Escapes::Few, "", "indented by four spaces"),
        (Layout::Indented(4), Escapes::Few, "\n", "indented by four spaces and ending in a newline"),
    ];
    let rewritten = styles.into_iter().filter_map(|(layout, escapes, end, style)| {
        let fact = format!("The signature is right for the same JSON written {style}.");
        let bytes = (rewrite(text, layout, escapes)? + end).into_bytes();
        Some((bytes, Finding::with_fact(Code::JsonReserialised, &fact)))
    });
    rewritten.collect()
}
