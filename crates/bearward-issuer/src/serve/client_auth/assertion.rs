//! `private_key_jwt`: a client that signs who it is. RFC 7523 §2.2 and §3, OpenID Connect Core 1.0 §9.

use std::{fmt, sync::Arc, time::Duration};

use axum::http::StatusCode;
use bearward_core::{
    UnixTime,
    encoding::json::{Array, JsonObject, Value},
    jose::{algorithm::Algorithm, compact::Segments},
};

use crate::serve::{
    config::PublicKey,
    error_answer::ErrorAnswer,
    state::{NotRemembered, RegisteredClient, Tenant},
};

/// As Auth0.
const ASSERTION_BYTES: usize = 2048;

/// As Auth0.
const IDENTIFIER_CHARACTERS: usize = 64;

/// As Auth0: how long an assertion may be good for.
const LIFETIME_AT_MOST: Duration = Duration::from_secs(300);

/// As Auth0: how far a client's clock may be ahead.
const CLOCK_SKEW: Duration = Duration::from_secs(10);

pub(super) fn authenticate(
    client_id: Option<&str>,
    assertion: &str,
    tenant: &Tenant,
    now: UnixTime,
) -> Result<Arc<RegisteredClient>, ErrorAnswer> {
    let client = tenant.clients.first();
    let key = client.public_key.as_ref().ok_or(Refused::NoKey)?;
    let claims = verified(assertion, key)?;
    let text = |name| claims.get(name).and_then(Value::as_str);
    // RFC 7523 §3, items 1 and 2.
    let is_client = |id: Option<&str>| id == Some(client.id.as_str());
    if !is_client(text("iss")) || !is_client(text("sub")) || client_id.is_some_and(|id| id != client.id) {
        return Err(Refused::OtherClient.into());
    }
    check_audience(&claims, tenant)?;
    let end = check_times(&claims, now)?;
    let within = |jti: &&str| (1..=IDENTIFIER_CHARACTERS).contains(&jti.chars().count());
    let jti = text("jti").filter(within).ok_or(Refused::NoIdentifier)?;
    // Last, so that an assertion that fails for another reason is not used up.
    tenant.used_assertions.remember(jti, end, now).map_err(|error| {
        ErrorAnswer::from(match error {
            NotRemembered::Replayed => Refused::Replayed,
            NotRemembered::TooMany => Refused::TooMany,
        })
    })?;
    Ok(client)
}

/// The claims, if the key's owner signed them.
fn verified(assertion: &str, key: &PublicKey) -> Result<JsonObject, Refused> {
    if assertion.len() > ASSERTION_BYTES {
        return Err(Refused::TooLarge);
    }
    let segments = Segments::of(assertion).map_err(|_| Refused::NotAJwt)?;
    let header = segments.header().map_err(|_| Refused::NotAJwt)?;
    // RFC 7515 §4.1.11: no extension is understood here.
    if header.get("crit").is_some() {
        return Err(Refused::CriticalHeader);
    }
    let name = header.get("alg").and_then(Value::as_str);
    let algorithm = name.and_then(Algorithm::from_name).ok_or(Refused::Algorithm)?;
    let signature = segments.signature().map_err(|_| Refused::NotAJwt)?;
    if !key.verifies(algorithm, segments.signing_input(), &signature) {
        return Err(Refused::Signature);
    }
    segments.payload().map_err(|_| Refused::NotAJwt)
}

/// RFC 7523 §3, item 3. One audience and no more: an assertion for several servers is one that each of them can use
/// at the others.
fn check_audience(claims: &JsonObject, tenant: &Tenant) -> Result<(), Refused> {
    let audience = claims.get("aud").and_then(|audience| {
        let mut several = audience.as_array().into_iter().flat_map(Array::items);
        match (audience.as_str(), several.next(), several.next()) {
            (Some(one), None, None) => Some(one),
            (None, Some(one), None) => one.as_str(),
            _ => None,
        }
    });
    let is_ours = |audience| {
        audience == tenant.issuer() || tenant.token_endpoints().iter().any(|endpoint| endpoint == audience)
    };
    if audience.is_some_and(is_ours) { Ok(()) } else { Err(Refused::Audience) }
}

/// RFC 7523 §3, items 4 to 6. Gives the end of the assertion's life.
fn check_times(claims: &JsonObject, now: UnixTime) -> Result<UnixTime, Refused> {
    let time = |name| match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64().and_then(UnixTime::from_seconds) {
            Some(time) => Ok(Some(time)),
            None => Err(Refused::Times),
        },
    };
    let end = time("exp")?.ok_or(Refused::Times)?;
    if end <= now {
        return Err(Refused::Expired);
    }
    for start in [time("iat")?, time("nbf")?].into_iter().flatten() {
        if start > now.plus(CLOCK_SKEW) {
            return Err(Refused::NotYet);
        }
    }
    let begin = time("iat")?.unwrap_or(now);
    if end.since(begin) > LIFETIME_AT_MOST || end > now.plus(LIFETIME_AT_MOST).plus(CLOCK_SKEW) {
        return Err(Refused::LivesTooLong);
    }
    Ok(end)
}

/// Why an assertion is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    NoKey,
    TooLarge,
    NotAJwt,
    CriticalHeader,
    Algorithm,
    Signature,
    OtherClient,
    Audience,
    Times,
    Expired,
    NotYet,
    LivesTooLong,
    NoIdentifier,
    Replayed,
    TooMany,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => "the client has no public key",
            Self::TooLarge => "it is longer than 2048 bytes",
            Self::NotAJwt => "it is not a JWT",
            Self::CriticalHeader => "its header asks for an extension",
            Self::Algorithm => "alg is not RS256, RS384 or PS256",
            Self::Signature => "it is not signed by the client's key with RS256, RS384 or PS256",
            Self::OtherClient => "iss and sub must be the client's id, as client_id if it is given",
            Self::Audience => "aud must be the issuer or the token endpoint, and nothing else",
            Self::Times => "exp is missing, or exp, iat or nbf is not a time",
            Self::Expired => "it has expired",
            Self::NotYet => "iat or nbf is in the future",
            Self::LivesTooLong => "it is good for longer than 5 minutes",
            Self::NoIdentifier => "jti must be a string of 1 to 64 characters",
            Self::Replayed => "it was used before",
            Self::TooMany => "too many assertions were used in the last minutes",
        })
    }
}

/// RFC 7523 §3.2: the code is that of a failed client authentication.
impl From<Refused> for ErrorAnswer {
    fn from(refused: Refused) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", format!("Invalid client assertion: {refused}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    fn times(claims: &str) -> Result<UnixTime, Refused> {
        let claims = JsonObject::parse(format!("{{{claims}}}").into_bytes()).unwrap();
        check_times(&claims, at(1000.0))
    }

    #[test]
    fn an_assertion_lives_five_minutes_at_most() {
        assert_eq!(times(r#""exp":1060"#), Ok(at(1060.0)));
        assert_eq!(times(r#""exp":1300,"iat":1000,"nbf":1010"#), Ok(at(1300.0)));
        assert_eq!(times(r#""exp":1000"#), Err(Refused::Expired));
        assert_eq!(times(r#""exp":1301"#), Err(Refused::LivesTooLong));
        assert_eq!(times(r#""exp":1200,"iat":800"#), Err(Refused::LivesTooLong));
        assert_eq!(times(r#""exp":1100,"iat":1011"#), Err(Refused::NotYet));
        assert_eq!(times(r#""exp":1100,"nbf":1011"#), Err(Refused::NotYet));
        for claims in ["", r#""exp":"1060""#, r#""exp":null"#, r#""exp":1060,"iat":"now""#, r#""exp":-1"#] {
            assert_eq!(times(claims), Err(Refused::Times), "{claims}");
        }
    }
}
