//! The facts of an HTTP request that decide on it, and the credentials found in them. RFC 6750 §2.1.

use core::fmt;
use std::collections::HashSet;

use crate::check::Check;
use crate::http::headers::Field;
use crate::http::scheme::{Scheme, split, trim};
use crate::issuer::IssuerUrl;
use crate::outcome::Refusal;
use crate::policy::DpopMode;
use crate::rejection::Rejection;

/// What a request says about who sent it. Field values are bytes as they came, before anybody decoded them.
#[derive(Clone, Copy, Default)]
pub struct RequestFacts<'a> {
    /// The Authorization field.
    pub authorization: Field<'a>,
    /// The DPoP field.
    pub dpop: Field<'a>,
    /// The method, as in the request line. Only a proof is compared with it.
    pub method: &'a str,
    /// The answer to [`Outcome::IssuersNeeded`](crate::Outcome::IssuersNeeded): the issuers allowed for this request.
    pub issuers: Option<&'a HashSet<IssuerUrl>>,
    /// The URL the client used; see [`public_url`](crate::http::url::public_url). Only a proof is compared with it.
    pub url: &'a str,
}

impl fmt::Debug for RequestFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFacts")
            .field("authorization", &self.authorization)
            .field("dpop", &self.dpop)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The credentials of a request: there, and in an accepted form. Nothing about them is verified.
#[derive(Clone, Copy)]
pub(crate) enum Credentials<'a> {
    Bearer { token: &'a str, beside_proof: bool },
    Dpop { token: &'a str, proof: &'a str },
}

impl<'a> Credentials<'a> {
    pub(crate) fn of(request: &RequestFacts<'a>, mode: DpopMode) -> Result<Self, Refusal> {
        let value = match request.authorization {
            Field::Absent => return Err(Refusal::new(Rejection::MissingAuthorization, None)),
            Field::Repeated => return Err(Refusal::new(Rejection::MultipleAuthorizationFields, None)),
            Field::Once(value) => trim(value),
        };
        let (scheme, token) = split(value);
        let scheme = Scheme::named(scheme);
        Self::in_scheme(request, mode, scheme, token).map_err(|rejection| Refusal::new(rejection, scheme))
    }

    fn in_scheme(
        request: &RequestFacts<'a>,
        mode: DpopMode,
        scheme: Option<Scheme>,
        token: &'a [u8],
    ) -> Result<Self, Rejection> {
        match (scheme, mode) {
            (None, _) if token.is_empty() && request.authorization.is_blank() => {
                Err(Rejection::MissingAuthorization)
            }
            (None, _) => Err(Rejection::UnknownScheme),
            (Some(_), _) if token.is_empty() => Err(Rejection::SchemeWithoutToken),
            (Some(Scheme::Bearer), DpopMode::Required) => Err(Rejection::BearerNotAccepted),
            (Some(Scheme::Dpop), DpopMode::Off) => Err(Rejection::DpopNotAccepted),
            (Some(Scheme::Bearer), _) => {
                Ok(Self::Bearer { token: text(token)?, beside_proof: !request.dpop.is_blank() })
            }
            (Some(Scheme::Dpop), _) => Ok(Self::Dpop { proof: proof(request.dpop)?, token: text(token)? }),
        }
    }
}

/// What stands in the fields, accepted or not.
#[derive(Clone)]
pub(crate) struct Presented<'a> {
    /// Why the fields are refused, if they are.
    pub(crate) refused: Option<Rejection>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) token: Option<&'a str>,
    pub(crate) proof: Option<&'a str>,
    pub(crate) beside_proof: bool,
}

impl<'a> RequestFacts<'a> {
    /// For telling what else is wrong with credentials that are refused. Nothing is accepted here.
    pub(crate) fn presented(&self, mode: DpopMode) -> Presented<'a> {
        let (scheme, token, proof, beside_proof) = match Credentials::of(self, mode) {
            Ok(Credentials::Bearer { token, beside_proof }) => {
                (Some(Scheme::Bearer), Some(token), None, beside_proof)
            }
            Ok(Credentials::Dpop { token, proof }) => (Some(Scheme::Dpop), Some(token), Some(proof), false),
            Err(Refusal { rejection, scheme, .. }) => {
                let proof = proof(self.dpop).ok().filter(|_| rejection.check() == Check::Credentials);
                let token = scheme.and_then(|_| token_of(self.authorization));
                return Presented { refused: Some(rejection), scheme, token, proof, beside_proof: false };
            }
        };
        Presented { refused: None, scheme, token, proof, beside_proof }
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
fn text(token: &[u8]) -> Result<&str, Rejection> {
    core::str::from_utf8(token).map_err(|_| Rejection::OpaqueToken)
}
