//! How answers look.

pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod time;

/// For whom an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For machines.
    Json,
    /// For people.
    Text(Colours),
}

/// Where colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colours {
    /// Where a person looks.
    OnTerminals,
    /// Nowhere.
    Never,
}
