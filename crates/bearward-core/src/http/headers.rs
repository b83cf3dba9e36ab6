//! Which header fields count, and what several of one name mean.

use core::fmt;

use super::scheme::trim;

/// A header field that may stand once in a request.
#[derive(Clone, Copy, Default)]
#[expect(clippy::exhaustive_enums, reason = "none, one, several: there is nothing else")]
pub enum Field<'a> {
    /// It is not there.
    #[default]
    Absent,
    /// Its value.
    Once(&'a [u8]),
    /// It stands more than once. Which one counts is nothing to guess about.
    Repeated,
}

impl<'a> Field<'a> {
    /// Notes a field line of this name.
    pub fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Repeated => Self::Repeated,
        };
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
    /// Not the value: it is a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Once(value) => write!(f, "{} bytes", value.len()),
            Self::Repeated => f.write_str("repeated"),
        }
    }
}
