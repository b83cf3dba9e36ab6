//! Why an exchange can't be asked for.

use core::fmt;

use crate::limits;

/// Why an exchange can't be asked for. It is the caller's mistake, found before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// An argument is empty.
    Missing(&'static str),
    /// The subject token consists of white space.
    SubjectTokenBlank,
    /// The subject token has white space around it.
    SubjectTokenSpaced,
    /// The subject token begins with `Bearer `, as if it were the value of an Authorization field.
    SubjectTokenWithScheme,
    /// A further parameter has a name that is reserved for the exchange itself.
    ReservedParameter {
        /// The name, as the caller gave it.
        name: String,
    },
    /// A further parameter is repeated more often than [`limits::EXTRA_VALUES`].
    TooManyValues {
        /// The name, as the caller gave it.
        name: String,
    },
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(argument) => {
                write!(f, "The argument '{argument}' is required but was not provided.")
            }
            Self::SubjectTokenBlank => f.write_str("subject_token must not be blank or whitespace"),
            Self::SubjectTokenSpaced => {
                f.write_str("subject_token must not have leading or trailing whitespace")
            }
            Self::SubjectTokenWithScheme => {
                f.write_str("subject_token must be the token alone, without the 'Bearer ' prefix")
            }
            Self::ReservedParameter { name } => {
                write!(f, "Parameter '{name}' is reserved and can't be set by 'extra'")
            }
            Self::TooManyValues { name } => {
                write!(f, "Parameter '{name}' exceeds the maximum of {} values", limits::EXTRA_VALUES)
            }
        }
    }
}

impl core::error::Error for RequestError {}

pub(super) fn required<'a>(argument: &'static str, value: &'a str) -> Result<&'a str, RequestError> {
    if value.is_empty() { Err(RequestError::Missing(argument)) } else { Ok(value) }
}
