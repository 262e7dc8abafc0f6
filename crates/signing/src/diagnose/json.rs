//! Writes a JSON text again in another style, as middleware does between the wire and a careless verifier.
//!
//! Members keep their order and numbers their spelling, which going through a `serde_json::Value` would not
//! guarantee.

use std::fmt::Write as _;

use serde_json::value::RawValue;

#[cfg(test)]
mod tests;

#[derive(Clone, Copy)]
pub(super) enum Layout {
    /// No white space.
    Compact,
    /// A space after `,` and `:`.
    OneLine,
    /// One member a line, indented by so many spaces a level.
    Indented(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// Only what JSON requires.
    Few,
    /// Also everything outside ASCII, as Python does by default.
    Ascii,
}

/// `None` when `text` is no JSON.
pub(super) fn rewrite(text: &str, layout: Layout, escapes: Escapes) -> Option<String> {
    // Once the text is known to be JSON, the tokens can be told apart without a grammar.
    let text = serde_json::from_str::<&RawValue>(text).ok()?.get();
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let mut previous = "";
    for token in tokens(text) {
        let opened = matches!(previous, "{" | "[");
        let closes = matches!(token, "}" | "]");
        if closes {
            depth = depth.saturating_sub(1);
        }
        // An empty object or array stays on its line.
        if previous == "," || opened != closes {
            separate(&mut out, layout, depth, previous);
        }
        if matches!(token, "{" | "[") {
            depth = depth.saturating_add(1);
        }
        if token.starts_with('"') {
            push_string(&mut out, token, escapes);
        } else {
            out.push_str(token);
        }
        if token == ":" && !matches!(layout, Layout::Compact) {
            out.push(' ');
        }
        previous = token;
    }
    Some(out)
}

/// White space between two tokens where a line may break.
fn separate(out: &mut String, layout: Layout, depth: usize, previous: &str) {
    match layout {
        Layout::OneLine if previous == "," => out.push(' '),
        Layout::Compact | Layout::OneLine => {}
        Layout::Indented(width) => {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', width.saturating_mul(depth)));
        }
    }
}

fn push_string(out: &mut String, token: &str, escapes: Escapes) {
    let written = serde_json::from_str::<String>(token).and_then(|string| serde_json::to_string(&string));
    // A lone surrogate has no UTF-8 form; then the escapes it came with are the only way to write it.
    let written = written.unwrap_or_else(|_| token.to_owned());
    if escapes == Escapes::Few {
        out.push_str(&written);
        return;
    }
    for character in written.chars() {
        if matches!(character, ' '..='~') {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                write!(out, "\\u{unit:04x}").ok();
            }
        }
    }
}

/// Splits valid JSON into strings, punctuation marks, numbers and words, without the white space between.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text.trim_start();
    std::iter::from_fn(move || {
        let (token, after) = rest.split_at_checked(token_length(rest)?)?;
        rest = after.trim_start();
        Some(token)
    })
}

/// Length in bytes of the token that `rest` begins with.
fn token_length(rest: &str) -> Option<usize> {
    match rest.chars().next()? {
        '"' => string_length(rest),
        '{' | '}' | '[' | ']' | ',' | ':' => Some(1),
        _ => {
            let ends = |character: char| character.is_ascii_whitespace() || "}],".contains(character);
            Some(rest.find(ends).unwrap_or(rest.len()))
        }
    }
}

/// Length in bytes of the string that `rest` begins with, quotes included.
fn string_length(rest: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(index.saturating_add(1)),
            _ => {}
        }
    }
    None
}
