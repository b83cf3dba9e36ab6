use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;

/// A client's or the admin side's secret: `Debug` hides it, and there is no `Display`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, to hand it to the client it belongs to.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares without telling by its duration how much was right.
    pub(super) fn matches(&self, candidate: &str) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), candidate.as_bytes()).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_it_and_matches_compares_all_of_it() {
        let secret = Secret::new("s3cret");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert!(secret.matches("s3cret"));
        assert!(!secret.matches("s3cre"));
        assert!(!secret.matches("s3cret "));
        assert!(!secret.matches(""));
    }
}
