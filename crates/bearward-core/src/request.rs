//! The facts of an HTTP request that decide on it, and the credentials found in them. RFC 6750 §2.1.

use core::fmt;

use crate::rejection::Rejection;

/// What a request says about who sent it. Values are bytes as they came, before anybody decoded them.
#[derive(Clone, Copy, Default)]
pub struct RequestFacts<'a> {
    /// The Authorization field.
    pub authorization: Field<'a>,
}

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

impl fmt::Debug for RequestFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFacts").field("authorization", &self.authorization).finish()
    }
}

/// An Authorization scheme that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// RFC 6750
    Bearer,
    /// RFC 9449 §7.1
    Dpop,
}

impl Scheme {
    /// The scheme of an Authorization field, if it is a known one: for choosing the challenge, not for accepting anything.
    pub fn of(authorization: &[u8]) -> Option<Self> {
        split(authorization).and_then(|(scheme, _)| Self::named(scheme))
    }

    fn named(name: &[u8]) -> Option<Self> {
        // RFC 9110 §11.1: a scheme is case-insensitive.
        if name.eq_ignore_ascii_case(b"bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case(b"dpop") {
            Some(Self::Dpop)
        } else {
            None
        }
    }
}

/// The credentials of a request: there, and in an accepted form. Nothing about them is verified.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) token: &'a str,
}

impl<'a> Credentials<'a> {
    pub(crate) fn of(request: &RequestFacts<'a>) -> Result<Self, Rejection> {
        let value = match request.authorization {
            Field::Absent => return Err(Rejection::MissingAuthorization),
            Field::Repeated => return Err(Rejection::MultipleAuthorizationFields),
            Field::Once(value) => value.trim_ascii(),
        };
        if value.is_empty() {
            return Err(Rejection::MissingAuthorization);
        }
        let Some((scheme, token)) = split(value) else {
            // One word: a scheme alone, or no scheme at all.
            return Err(
                Scheme::named(value).map_or(Rejection::UnknownScheme, |_| Rejection::SchemeWithoutToken)
            );
        };
        match Scheme::named(scheme) {
            None => Err(Rejection::UnknownScheme),
            Some(Scheme::Dpop) => Err(Rejection::DpopNotAccepted),
            // What isn't ASCII is no token, and no JWT either; more is found out where tokens are read.
            Some(Scheme::Bearer) => {
                Ok(Self { token: core::str::from_utf8(token).map_err(|_| Rejection::OpaqueToken)? })
            }
        }
    }
}

/// Scheme and what stands behind it. RFC 9110 §11.4 has one space between them; tabs and more spaces are tolerated.
fn split(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let value = value.trim_ascii();
    let end = value.iter().position(|byte| matches!(byte, b' ' | b'\t'))?;
    let (scheme, rest) = value.split_at_checked(end)?;
    Some((scheme, rest.trim_ascii()))
}
