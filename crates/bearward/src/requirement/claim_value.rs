//! The value that a claim must have.

use serde::Deserialize;

use crate::text::push_text;

/// The value that a claim must have, or a list of values of which it must have one.
///
/// ```
/// use bearward::Requirement;
///
/// let requirement = Requirement::new().claim("tier", ["gold", "silver"]).claim("level", 3).claim("staff", true);
/// # let _ = requirement;
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ClaimValue {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A string.
    Text(String),
    /// One of these.
    OneOf(Vec<ClaimValue>),
}

impl ClaimValue {
    /// As JSON.
    pub(super) fn push(&self, text: &mut String) {
        match self {
            Self::Flag(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Number(value) => text.push_str(&value.to_string()),
            Self::Text(value) => push_text(text, value),
            Self::OneOf(values) => {
                for (place, value) in values.iter().enumerate() {
                    text.push(if place == 0 { '[' } else { ',' });
                    value.push(text);
                }
                text.push_str(if values.is_empty() { "[]" } else { "]" });
            }
        }
    }
}

impl From<bool> for ClaimValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<i64> for ClaimValue {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<i32> for ClaimValue {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<&str> for ClaimValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for ClaimValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<ClaimValue>> From<Vec<T>> for ClaimValue {
    fn from(values: Vec<T>) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<ClaimValue>, const N: usize> From<[T; N]> for ClaimValue {
    fn from(values: [T; N]) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }
}
