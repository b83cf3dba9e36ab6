//! The Authorization field: a scheme, and what comes after it. RFC 9110 §11.4.

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
    /// The scheme of an Authorization field, if it is a known one. It chooses the challenge; nothing is accepted by it.
    pub fn of(authorization: &[u8]) -> Option<Self> {
        Self::named(split(authorization).0)
    }

    /// As it is usually written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    pub(crate) fn named(name: &[u8]) -> Option<Self> {
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

/// The scheme, and what comes after it, if anything. RFC 9110 §11.4 has one space between them. A tab and more spaces are
/// tolerated.
pub(crate) fn split(value: &[u8]) -> (&[u8], &[u8]) {
    let value = trim(value);
    let end = value.iter().position(|byte| is_blank(*byte)).unwrap_or(value.len());
    let (scheme, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
    (scheme, trim(rest))
}

/// A field value without the optional white space around it. RFC 9110 §5.6.3.
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = value
        && is_blank(*first)
    {
        value = rest;
    }
    while let [rest @ .., last] = value
        && is_blank(*last)
    {
        value = rest;
    }
    value
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
