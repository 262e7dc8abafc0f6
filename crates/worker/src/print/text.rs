//! Texts of strangers, made fit for a terminal.

/// Replaces control characters: one in an error message could repaint the terminal of whoever reads it.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' | '\t' => ' ',
            character if character.is_control() => '\u{fffd}',
            character => character,
        })
        .collect()
}

/// The beginning of a text, at most `length` characters long.
pub(crate) fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(length.saturating_sub(1)).collect();
    beginning + "…"
}

/// `1 dead letter`, `2 dead letters`.
pub(crate) fn counted(count: i64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

#[cfg(test)]
mod tests;
