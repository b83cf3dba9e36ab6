//! The developer's mistakes, told at start.

use core::fmt;

/// Why a guard can't be made. Names everything that is wrong at once, in a sentence each.
///
/// ```
/// use bearward::Guard;
///
/// let error = Guard::builder().domain("http://tenant.example").build().unwrap_err();
/// assert_eq!(error.problems().count(), 2); // http, and no audience
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// The sentences.
    ///
    /// ```
    /// let error = bearward::Guard::builder().build().unwrap_err();
    /// for problem in error.problems() {
    ///     eprintln!("{problem}");
    /// }
    /// ```
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn new(problems: Vec<String>) -> Self {
        Self(problems)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl core::error::Error for ConfigError {}
