//! A header field that may appear once.

use core::fmt;

use super::scheme::trim;

/// A header field that may appear once in a request.
#[derive(Clone, Copy, Default)]
#[expect(clippy::exhaustive_enums, reason = "none, one, several: there is nothing else")]
pub enum Field<'a> {
    /// It is not there.
    #[default]
    Absent,
    /// Its value.
    Once(&'a [u8]),
    /// It appears more than once. Nobody can say which one counts, so none does.
    Repeated,
}

impl<'a> Field<'a> {
    /// Adds a field line of this name.
    pub fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Repeated => Self::Repeated,
        };
    }

    /// The values of a repeated field are not kept. Two empty ones are given instead.
    pub(super) fn values(self) -> impl Iterator<Item = &'a [u8]> {
        let (one, other): (Option<&[u8]>, Option<&[u8]>) = match self {
            Self::Absent => (None, None),
            Self::Once(value) => (Some(value), None),
            Self::Repeated => (Some(b""), Some(b"")),
        };
        one.into_iter().chain(other)
    }

    pub(crate) fn is_blank(self) -> bool {
        match self {
            Self::Absent => true,
            Self::Once(value) => trim(value).is_empty(),
            Self::Repeated => false,
        }
    }
}

impl fmt::Debug for Field<'_> {
    /// Hides the value: it is a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Once(value) => write!(f, "{} bytes", value.len()),
            Self::Repeated => f.write_str("repeated"),
        }
    }
}
