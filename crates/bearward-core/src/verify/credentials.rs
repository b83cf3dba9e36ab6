//! The credentials of a request. RFC 6750 §2.1, RFC 9449 §7.1.

use crate::check::Check;
use crate::http::headers::{Field, HeaderFields};
use crate::http::scheme::{Scheme, split, trim};
use crate::policy::DpopMode;
use crate::rejection::Rejection;

/// The credentials of a request: there, and in an accepted form. Nothing about them is verified.
#[derive(Clone, Copy)]
pub(crate) enum Credentials<'a> {
    /// The token is a text only if [`text`] says so. Nothing else is looked at before.
    Bearer {
        token: &'a [u8],
        beside_proof: bool,
    },
    Dpop {
        token: &'a str,
        proof: &'a str,
    },
}

impl<'a> Credentials<'a> {
    /// The scheme, if it is a known one, and the credentials.
    pub(crate) fn of(
        headers: &HeaderFields<'a>,
        mode: DpopMode,
    ) -> (Option<Scheme>, Result<Self, Rejection>) {
        let value = match headers.authorization {
            Field::Absent => return (None, Err(Rejection::MissingAuthorization)),
            Field::Repeated => return (None, Err(Rejection::MultipleAuthorizationFields)),
            Field::Once(value) => trim(value),
        };
        let (scheme, token) = split(value);
        let scheme = Scheme::named(scheme);
        (scheme, Self::in_scheme(headers, mode, scheme, token))
    }

    fn in_scheme(
        headers: &HeaderFields<'a>,
        mode: DpopMode,
        scheme: Option<Scheme>,
        token: &'a [u8],
    ) -> Result<Self, Rejection> {
        match (scheme, mode) {
            (None, _) if token.is_empty() && headers.authorization.is_blank() => {
                Err(Rejection::MissingAuthorization)
            }
            (None, _) => Err(Rejection::UnknownScheme),
            (Some(_), _) if token.is_empty() => Err(Rejection::SchemeWithoutToken),
            (Some(Scheme::Bearer), DpopMode::Required) => Err(Rejection::BearerNotAccepted),
            (Some(Scheme::Dpop), DpopMode::Off) => Err(Rejection::DpopNotAccepted),
            (Some(Scheme::Bearer), _) => Ok(Self::Bearer { token, beside_proof: !headers.dpop.is_blank() }),
            (Some(Scheme::Dpop), _) => Ok(Self::Dpop { proof: proof(headers.dpop)?, token: text(token)? }),
        }
    }
}

/// What the fields hold, accepted or not: to explain what else is wrong with credentials that are refused.
#[derive(Clone)]
pub(crate) struct Presented<'a> {
    /// Why the fields are refused, if they are.
    pub(crate) refused: Option<Rejection>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) token: Option<&'a str>,
    pub(crate) proof: Option<&'a str>,
    pub(crate) beside_proof: bool,
}

impl<'a> Presented<'a> {
    pub(crate) fn of(headers: &HeaderFields<'a>, mode: DpopMode) -> Self {
        let (scheme, credentials) = Credentials::of(headers, mode);
        let read = |credentials| match credentials {
            Credentials::Bearer { token, beside_proof } => Ok((Some(text(token)?), None, beside_proof)),
            Credentials::Dpop { token, proof } => Ok((Some(token), Some(proof), false)),
        };
        let (token, proof, beside_proof) = match credentials.and_then(read) {
            Ok(presented) => presented,
            Err(rejection) => {
                let proof = proof(headers.dpop).ok().filter(|_| rejection.check() == Check::Credentials);
                let token = scheme.and_then(|_| token_of(headers.authorization));
                return Self { refused: Some(rejection), scheme, token, proof, beside_proof: false };
            }
        };
        Self { refused: None, scheme, token, proof, beside_proof }
    }
}

/// What follows the scheme.
fn token_of(field: Field<'_>) -> Option<&str> {
    let Field::Once(value) = field else { return None };
    let (_, token) = split(value);
    text(token).ok().filter(|token| !token.is_empty())
}

/// RFC 9449 §4.3 step 1: one field with one proof. A comma, which no proof holds, is where two fields were joined.
fn proof(field: Field<'_>) -> Result<&str, Rejection> {
    match field {
        Field::Repeated => Err(Rejection::MultipleProofs),
        Field::Once(value) if value.contains(&b',') => Err(Rejection::MultipleProofs),
        Field::Once(value) if !trim(value).is_empty() => {
            core::str::from_utf8(trim(value)).map_err(|_| Rejection::ProofNotAJws)
        }
        Field::Once(_) | Field::Absent => Err(Rejection::ProofMissing),
    }
}

/// What isn't ASCII is no token, and no JWT either; more is found out where tokens are read.
pub(crate) fn text(token: &[u8]) -> Result<&str, Rejection> {
    core::str::from_utf8(token).map_err(|_| Rejection::OpaqueToken)
}
