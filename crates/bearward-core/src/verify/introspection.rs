//! Opaque tokens: the issuer is asked what they say. RFC 7662.
//!
//! An answer is remembered for a short time, so that one question serves many requests: a token that is revoked meanwhile
//! is accepted so much longer. While the endpoint fails, nothing old is used, and it is asked less and less often.

use core::fmt;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::documents::{DocumentError, FetchBudget, Response, back_off, within};
use crate::encoding::json::{JsonObject, Kind, Value};
use crate::encoding::sha256;
use crate::issuer::IssuerUrl;
use crate::limits;
use crate::refusal::{IntrospectionError, IntrospectionUnavailable, Unavailable};
use crate::time::UnixTime;

/// A question to the introspection endpoint, before a request with an opaque token can be decided.
///
/// POST [`form`](Self::form) to [`url`](Self::url) with the credentials of this API, over https and without redirects. Hand
/// the response to [`Verifier::introspected`](crate::Verifier::introspected), or report
/// [`Verifier::introspection_failed`](crate::Verifier::introspection_failed). `Debug` shows no token.
#[derive(Clone, PartialEq, Eq)]
pub struct IntrospectionNeeded {
    pub(crate) issuer: IssuerUrl,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) key: TokenKey,
}

/// The SHA-256 of a token.
pub(crate) type TokenKey = [u8; 32];

impl IntrospectionNeeded {
    /// Where to ask: a configured https URL, or one that the issuer itself has named.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whom this asks.
    pub fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// The fields of the form. RFC 7662 §2.1. One is the token: it must get into no log.
    pub fn form(&self) -> [(&'static str, &str); 2] {
        [("token", &self.token), ("token_type_hint", "access_token")]
    }

    /// The same for all questions about one token, so that one is sent for all requests that wait. Says nothing about it.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }
}

impl fmt::Debug for IntrospectionNeeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionNeeded").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What the issuer says of an active token. Only an answer of its endpoint makes one.
#[derive(Clone)]
pub(crate) struct ActiveClaims(Arc<JsonObject>);

impl ActiveClaims {
    pub(crate) fn claims(&self) -> &JsonObject {
        &self.0
    }
}

impl fmt::Debug for ActiveClaims {
    /// Shows only the size: claims may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActiveClaims({} bytes)", self.0.bytes())
    }
}

/// An answer that is remembered.
#[derive(Clone)]
pub(crate) struct Answered {
    /// `Ok(None)`: the token is not active.
    said: Result<Option<ActiveClaims>, IntrospectionError>,
    at: UnixTime,
    until: UnixTime,
}

/// What is known of an opaque token.
pub(crate) enum Known {
    Active(ActiveClaims),
    Inactive,
    /// Nothing: the issuer has to be asked.
    Nothing,
}

/// The answers of an introspection endpoint, and how it fares.
pub(crate) struct Introspections {
    answers: Cache<TokenKey, Answered, ByBytes>,
    endpoint: Mutex<Endpoint>,
    /// For questions that unverified tokens cause.
    budget: FetchBudget,
    random: RandomState,
}

#[derive(Default)]
struct Endpoint {
    /// When the questions that have no answer yet were asked.
    asked: HashMap<TokenKey, UnixTime>,
    failing: Option<Failing>,
}

#[derive(Clone, Copy)]
struct Failing {
    count: u32,
    error: IntrospectionError,
    at: UnixTime,
    next_try: UnixTime,
    /// The one question that is asked to find out whether the endpoint works again, and since when.
    probe: Option<(TokenKey, UnixTime)>,
}

impl Default for Introspections {
    fn default() -> Self {
        let bytes = limits::INTROSPECTIONS_REMEMBERED_BYTES;
        Self {
            answers: Cache::with_weighter(limits::INTROSPECTIONS_REMEMBERED, bytes, ByBytes),
            endpoint: Mutex::default(),
            budget: FetchBudget::default(),
            random: RandomState::new(),
        }
    }
}

impl Introspections {
    /// What is known of the token at `now`. `asked`: when this request asked; an answer since then is new enough.
    pub(crate) fn known(
        &self,
        key: &TokenKey,
        asked: Option<UnixTime>,
        now: UnixTime,
    ) -> Result<Known, Unavailable> {
        let fresh = |answer: &Answered| {
            within(answer.at, answer.until.since(answer.at), now)
                || asked.is_some_and(|asked| answer.at >= asked)
        };
        match self.answers.get(key).filter(fresh) {
            Some(Answered { said: Ok(Some(claims)), .. }) => Ok(Known::Active(claims)),
            Some(Answered { said: Ok(None), .. }) => Ok(Known::Inactive),
            Some(Answered { said: Err(error), until, .. }) => Err(unavailable(error, until.since(now))),
            None => self.endpoint_works(key, now).map(|()| Known::Nothing),
        }
    }

    /// What was last said of a token, however long ago: to explain a decision.
    pub(crate) fn last_said(&self, key: &TokenKey) -> Known {
        match self.answers.get(key).map(|answer| answer.said) {
            Some(Ok(Some(active))) => Known::Active(active),
            Some(Ok(None)) => Known::Inactive,
            Some(Err(_)) | None => Known::Nothing,
        }
    }

    /// Notes that the issuer is asked. `false`: unverified tokens cause too many questions. To wait for a question that is
    /// under way costs nothing.
    pub(crate) fn begin(&self, needed: &IntrospectionNeeded, now: UnixTime) -> bool {
        let mut endpoint = self.endpoint();
        let under_way = |asked: &UnixTime| within(*asked, limits::FETCH_DEADLINE, now);
        if endpoint.asked.get(&needed.key).is_some_and(under_way) {
            return true;
        }
        if endpoint.asked.len() >= limits::INTROSPECTIONS_UNDER_WAY {
            endpoint.asked.retain(|_, asked| under_way(asked));
        }
        if endpoint.asked.len() >= limits::INTROSPECTIONS_UNDER_WAY || !self.budget.take(now) {
            return false;
        }
        endpoint.asked.insert(needed.key, now);
        if let Some(failing) = &mut endpoint.failing {
            failing.probe = Some((needed.key, now));
        }
        true
    }

    /// Takes an answer, and remembers it for `remember` at most, and not beyond the token's `exp`.
    pub(crate) fn answered(
        &self,
        needed: &IntrospectionNeeded,
        response: Response,
        remember: Duration,
        now: UnixTime,
    ) -> Result<(), IntrospectionError> {
        let said = match response.body(now) {
            Ok(body) => read(body),
            // The endpoint dislikes this token, which a stranger may have made up: others have nothing to do with it.
            Err((DocumentError::Status(status), _)) if OF_ONE_TOKEN.contains(&status) => {
                Err(IntrospectionError::Status(status))
            }
            Err((DocumentError::TooLong, _)) => Err(IntrospectionError::Unusable),
            Err((error, retry_after)) => {
                let error = if let DocumentError::Status(status) = error {
                    IntrospectionError::Status(status)
                } else {
                    IntrospectionError::NotReached
                };
                self.failed(needed, error, retry_after, now);
                return Err(error);
            }
        };
        let until = match &said {
            Ok(Some(active)) => expiry(active).map_or(now.plus(remember), |exp| now.plus(remember).min(exp)),
            Ok(None) => now.plus(remember),
            Err(_) => now.plus(limits::BACK_OFF_FIRST),
        };
        let error = said.as_ref().err().copied();
        self.answers.insert(needed.key, Answered { said, at: now, until });
        let mut endpoint = self.endpoint();
        endpoint.asked.remove(&needed.key);
        if error.is_none() {
            endpoint.failing = None;
        }
        error.map_or(Ok(()), Err)
    }

    /// Notes that the endpoint can't be asked now, about whatever token.
    pub(crate) fn failed(
        &self,
        needed: &IntrospectionNeeded,
        error: IntrospectionError,
        at_least: Option<Duration>,
        now: UnixTime,
    ) {
        let mut endpoint = self.endpoint();
        let asked = endpoint.asked.remove(&needed.key);
        let earlier = endpoint.failing.map_or(0, |failing| {
            // Questions that were under way when another one failed say nothing new.
            let is_news = asked.is_none_or(|asked| asked > failing.at);
            failing.count.saturating_sub(u32::from(!is_news))
        });
        let count = earlier.saturating_add(1);
        let jitter = self.random.hash_one((&needed.url, now));
        let at_least = at_least.unwrap_or_default().min(limits::RETRY_AFTER_AT_MOST);
        let next_try = now.plus(back_off(count, jitter).max(at_least));
        endpoint.failing = Some(Failing { count, error, at: now, next_try, probe: None });
    }

    /// Whether the issuer may be asked about this token.
    fn endpoint_works(&self, key: &TokenKey, now: UnixTime) -> Result<(), Unavailable> {
        let Some(Failing { error, at, next_try, probe, .. }) = self.endpoint().failing else { return Ok(()) };
        let others_probe =
            probe.is_some_and(|(probed, asked)| probed != *key && within(asked, limits::FETCH_DEADLINE, now));
        if within(at, next_try.since(at), now) {
            return Err(unavailable(error, next_try.since(now)));
        }
        if others_probe { Err(unavailable(error, limits::BACK_OFF_FIRST)) } else { Ok(()) }
    }

    fn endpoint(&self) -> std::sync::MutexGuard<'_, Endpoint> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an endpoint may answer because of the one token that it is asked about.
const OF_ONE_TOKEN: [u16; 5] = [400, 413, 414, 422, 431];

pub(crate) fn unavailable(error: IntrospectionError, retry_after: Duration) -> Unavailable {
    Unavailable::Introspection(IntrospectionUnavailable { error, retry_after })
}

/// RFC 7662 §2.2: `active` is a boolean, and nothing else will do.
fn read(body: Vec<u8>) -> Result<Option<ActiveClaims>, IntrospectionError> {
    if body.len() > limits::INTROSPECTION_BYTES {
        return Err(IntrospectionError::Unusable);
    }
    let answer = JsonObject::parse(body).map_err(|_| IntrospectionError::Unusable)?;
    match answer.get("active").map(Value::kind) {
        Some(Kind::Bool(true)) => Ok(Some(ActiveClaims(Arc::new(answer)))),
        Some(Kind::Bool(false)) => Ok(None),
        _ => Err(IntrospectionError::Unusable),
    }
}

fn expiry(active: &ActiveClaims) -> Option<UnixTime> {
    active.claims().get("exp").and_then(Value::as_f64).and_then(UnixTime::from_seconds)
}

pub(crate) fn key_of(token: &str) -> TokenKey {
    sha256(&[token.as_bytes()])
}

/// RFC 6750 §2.1, `b64token`. Nobody else's token gets to the issuer.
pub(crate) fn is_b64token(token: &str) -> bool {
    let bare = token.trim_end_matches('=');
    !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<TokenKey, Answered> for ByBytes {
    fn weight(&self, _key: &TokenKey, answer: &Answered) -> u64 {
        let bytes = match &answer.said {
            Ok(Some(active)) => u64::try_from(active.0.bytes()).unwrap_or(u64::MAX),
            Ok(None) | Err(_) => 0,
        };
        bytes.saturating_add(limits::REMEMBERED_TOKEN_OVERHEAD)
    }
}

impl fmt::Debug for Introspections {
    /// Shows no claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Introspections({} answers)", self.answers.len())
    }
}
