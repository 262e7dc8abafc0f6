//! Patterns for names.

/// A name in which `*` stands for any text and `?` for any one character. Letters count as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// A pattern. Every text is one.
    #[must_use]
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Whether the whole of `text` fits.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let mut pattern = self.0.chars();
        let mut rest = text.chars();
        // Where to go on when the last star has to swallow one character more. One such place is enough: what a former
        // star could still swallow, the last one can as well.
        let mut star = None;
        loop {
            let before = (pattern.clone(), rest.clone());
            match (pattern.next(), rest.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    rest = before.1;
                    star = Some((pattern.clone(), rest.clone()));
                }
                (Some('?'), Some(_)) => {}
                (Some(wanted), Some(found)) if wanted == found => {}
                _ => {
                    let Some((after_star, mut swallowed)) = star.take() else { return false };
                    if swallowed.next().is_none() {
                        return false;
                    }
                    pattern = after_star.clone();
                    rest = swallowed.clone();
                    star = Some((after_star, swallowed));
                }
            }
        }
    }
}
