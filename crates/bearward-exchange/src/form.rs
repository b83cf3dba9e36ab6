//! The form that a request to a token endpoint carries. RFC 6749 §4, appendix B.

use core::fmt;

/// Names and values, to be sent as `application/x-www-form-urlencoded`. There are secrets and tokens among the values.
#[derive(Clone, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn new<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(crate) fn add<'a>(&mut self, name: &'a str, values: impl IntoIterator<Item = &'a str>) {
        self.0.extend(values.into_iter().map(|value| (name.to_owned(), value.to_owned())));
    }

    /// Names and values, in the order in which they are sent.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(named, _)| *named == name).map(|(_, value)| value)
    }
}

/// Shows the names alone: the values are secrets, tokens and names of users.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields().map(|(name, _)| name)).finish()
    }
}
