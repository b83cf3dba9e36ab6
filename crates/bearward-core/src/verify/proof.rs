//! A DPoP proof shows that the sender of the request has the key that the token is bound to. RFC 9449 §4.3.
//!
//! The steps of that section that are not here: 1 (one field) in `credentials.rs`, 12 second half (the binding) in
//! `binding.rs`, and the replay check of §11.1 in `replay.rs`.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::encoding::json::{JsonObject, Value};
use crate::encoding::{base64url, sha256};
use crate::http::url::same_target;
use crate::jose::algorithm::Algorithm;
use crate::jose::compact::Segments;
use crate::jose::jwk::{Jwk, KeyError, VerificationKey};
use crate::jose::thumbprint::Thumbprint;
use crate::limits;
use crate::policy::DpopPolicy;
use crate::rejection::Rejection;
use crate::time::UnixTime;
use crate::verify::registered_claims::date;

/// What a proof must be about.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9449 §4.2 has these three")]
pub struct ProvenRequest<'a> {
    /// The method, as in the request line.
    pub method: &'a str,
    /// The URL the client used.
    pub url: &'a str,
    /// The token that comes with it; none in a request for one (RFC 9449 §5).
    pub access_token: Option<&'a str>,
}

/// A proof of the right shape: its header was read, nothing is believed.
pub(crate) struct UnverifiedProof<'a> {
    segments: Segments<'a>,
    header: JsonObject,
}

/// A proof that holds: for this request, at this time, by the key of this thumbprint. Only verification makes one.
#[derive(Debug)]
pub struct VerifiedProof {
    claims: JsonObject,
    thumbprint: Thumbprint,
    /// When a server of ours may accept it.
    good: Range<UnixTime>,
}

/// Whether `proof` is well made and about `request`. RFC 9449 §4.3.
///
/// Not checked: that it came alone, whether its key is the one that the token is bound to, whether it was used before.
pub fn check_proof(
    proof: &str,
    request: ProvenRequest<'_>,
    policy: &DpopPolicy,
    now: UnixTime,
) -> Result<VerifiedProof, Rejection> {
    UnverifiedProof::read(proof, policy)?.check(request, policy, now)
}

impl<'a> UnverifiedProof<'a> {
    /// Steps 2 and 3: one compact JWS with a header that can be read.
    pub(crate) fn read(proof: &'a str, policy: &DpopPolicy) -> Result<Self, Rejection> {
        let limit = policy.proof_bytes;
        if proof.len() > limit {
            return Err(Rejection::ProofTooLarge { bytes: proof.len(), limit });
        }
        let segments = Segments::of(proof).map_err(|_| Rejection::ProofNotAJws)?;
        let header = segments.header().map_err(Rejection::MalformedProofHeader)?;
        // RFC 7515 §4.1.11, RFC 7797 §6: no extension is understood here.
        if header.get("crit").is_some() || header.get("b64").is_some() {
            return Err(Rejection::ProofCriticalHeader);
        }
        Ok(Self { segments, header })
    }

    /// Steps 3 to 12, in the order of the section but for the signature, which is checked before any claim.
    pub(crate) fn check(
        self,
        request: ProvenRequest<'_>,
        policy: &DpopPolicy,
        now: UnixTime,
    ) -> Result<VerifiedProof, Rejection> {
        let hash = request.access_token.map(token_hash);
        self.prover(policy)?.check(&self.segments, request, hash.as_deref(), policy, now)
    }

    /// Steps 4, 5 and 7: whose proof it says it is.
    fn prover(&self, policy: &DpopPolicy) -> Result<Prover, Rejection> {
        self.check_type()?;
        let (key, thumbprint) = self.key(self.algorithm(policy)?)?;
        Ok(Prover { header: Box::from(self.segments.header_text()), key, thumbprint })
    }

    /// Step 4
    pub(crate) fn check_type(&self) -> Result<(), Rejection> {
        if self.text("typ") == Some("dpop+jwt") { Ok(()) } else { Err(Rejection::ProofType) }
    }

    /// Step 5: a registered asymmetric algorithm that the policy allows.
    pub(crate) fn algorithm(&self, policy: &DpopPolicy) -> Result<Algorithm, Rejection> {
        let named = self.text("alg").and_then(Algorithm::from_name);
        named.filter(|algorithm| policy.algorithms.contains(*algorithm)).ok_or(Rejection::ProofAlgorithm)
    }

    /// Step 7: the key in the header, which is public, and its thumbprint.
    pub(crate) fn key(&self, algorithm: Algorithm) -> Result<(VerificationKey, Thumbprint), Rejection> {
        let value = self.header.get("jwk").filter(|jwk| jwk.as_object().is_some_and(|jwk| !jwk.is_empty()));
        let value = value.ok_or(Rejection::ProofKeyMissing)?;
        let jwk = Jwk::of_client(value).map_err(why_not)?;
        if algorithm == Algorithm::ES256 {
            check_kind(&jwk)?;
        }
        let key = jwk.prepare(algorithm).map_err(why_not)?;
        let thumbprint = jwk.thumbprint().ok_or(Rejection::ProofKeyUnusable(KeyError::UnknownKind))?;
        Ok((key, thumbprint))
    }

    /// Step 6: signed with that key.
    pub(crate) fn check_signature(&self, key: &VerificationKey) -> Result<(), Rejection> {
        check_signature(&self.segments, key)
    }

    pub(crate) fn claims(&self) -> Result<JsonObject, Rejection> {
        self.segments.payload().map_err(Rejection::MalformedProofPayload)
    }

    pub(crate) fn header(&self) -> &JsonObject {
        &self.header
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }
}

/// A client, by the header of its proofs: all of them have the same one, as a rule. Its key is ready.
pub(crate) struct Prover {
    header: Box<[u8]>,
    key: VerificationKey,
    thumbprint: Thumbprint,
}

impl Prover {
    /// The header of its proofs, as it was sent.
    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }

    /// Steps 6 and 8 to 12. `hash`: what `ath` has to be.
    fn check(
        &self,
        segments: &Segments<'_>,
        request: ProvenRequest<'_>,
        hash: Option<&str>,
        policy: &DpopPolicy,
        now: UnixTime,
    ) -> Result<VerifiedProof, Rejection> {
        check_signature(segments, &self.key)?;
        let claims = segments.payload().map_err(Rejection::MalformedProofPayload)?;
        let found = ProofClaims::of(&claims);
        check_presence(found, request)?;
        check_identifier(found)?;
        let nonce_life = check_nonce(found, policy, now)?;
        let good = check_time(found, nonce_life, policy, now)?;
        check_method(found, request)?;
        check_url(found, request)?;
        check_token_hash(found, hash)?;
        Ok(VerifiedProof { claims, thumbprint: self.thumbprint.clone(), good })
    }
}

/// A proof as it comes to a verifier.
pub(crate) enum PresentedProof<'a> {
    /// Nothing is known of it.
    New(UnverifiedProof<'a>),
    /// Its header is that of a good proof of the same client, so it need not be read again.
    Of(KnownProver<'a>, Segments<'a>),
}

/// A client that was met.
pub(crate) enum KnownProver<'a> {
    /// With the same token.
    WithToken(&'a Arc<Prover>),
    /// With another token.
    Lately(Arc<Prover>),
}

impl<'a> PresentedProof<'a> {
    /// `with_token`: who made a good proof for the same token, by the same policy. `lately`: for any token, by the header.
    pub(crate) fn read(
        proof: &'a str,
        with_token: Option<&'a Arc<Prover>>,
        lately: impl FnOnce(&[u8]) -> Option<Arc<Prover>>,
        policy: &DpopPolicy,
    ) -> Result<Self, Rejection> {
        if proof.len() <= policy.proof_bytes
            && let Ok(segments) = Segments::of(proof)
        {
            let header = segments.header_text();
            if let Some(prover) = with_token.filter(|prover| prover.header() == header) {
                return Ok(Self::Of(KnownProver::WithToken(prover), segments));
            }
            if let Some(prover) = lately(header) {
                return Ok(Self::Of(KnownProver::Lately(prover), segments));
            }
        }
        UnverifiedProof::read(proof, policy).map(Self::New)
    }

    /// What is left of the steps. `hash`: what `ath` has to be. Gives the client, too, if it was not met with this token.
    pub(crate) fn check(
        &self,
        request: ProvenRequest<'_>,
        hash: &str,
        policy: &DpopPolicy,
        now: UnixTime,
    ) -> Result<(VerifiedProof, Option<Arc<Prover>>), Rejection> {
        match self {
            Self::New(proof) => {
                let prover = Arc::new(proof.prover(policy)?);
                let verified = prover.check(&proof.segments, request, Some(hash), policy, now)?;
                Ok((verified, Some(prover)))
            }
            Self::Of(KnownProver::Lately(prover), segments) => {
                Ok((prover.check(segments, request, Some(hash), policy, now)?, Some(Arc::clone(prover))))
            }
            Self::Of(KnownProver::WithToken(prover), segments) => {
                Ok((prover.check(segments, request, Some(hash), policy, now)?, None))
            }
        }
    }

    /// Whether the client was not met before.
    pub(crate) fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }
}

/// Step 6
fn check_signature(segments: &Segments<'_>, key: &VerificationKey) -> Result<(), Rejection> {
    let signature = segments.signature().map_err(|_| Rejection::MalformedProofSignature)?;
    key.verify(segments.signing_input(), &signature).map_err(|_| Rejection::ProofSignatureInvalid)
}

fn why_not(error: KeyError) -> Rejection {
    if error == KeyError::Private {
        Rejection::ProofKeyPrivate
    } else if error == KeyError::Symmetric {
        Rejection::ProofKeyType
    } else {
        Rejection::ProofKeyUnusable(error)
    }
}

/// For ES256, which nearly all clients use, the rejection says which kind of key is needed.
fn check_kind(jwk: &Jwk<'_>) -> Result<(), Rejection> {
    match (jwk.text("kty"), jwk.text("crv")) {
        (Some("EC"), Some("P-256")) => Ok(()),
        (Some("EC"), _) => Err(Rejection::ProofKeyCurve),
        _ => Err(Rejection::ProofKeyType),
    }
}

/// The claims of a proof that are looked at, found in one pass.
#[derive(Clone, Copy, Default)]
pub(crate) struct ProofClaims<'a> {
    iat: Option<Value<'a>>,
    ath: Option<Value<'a>>,
    htm: Option<Value<'a>>,
    htu: Option<Value<'a>>,
    jti: Option<Value<'a>>,
    nonce: Option<Value<'a>>,
    exp: Option<Value<'a>>,
    nbf: Option<Value<'a>>,
}

impl<'a> ProofClaims<'a> {
    pub(crate) fn of(claims: &'a JsonObject) -> Self {
        let mut found = Self::default();
        for (name, value) in claims.object().members_by_bytes() {
            let claim = match name {
                b"iat" => &mut found.iat,
                b"ath" => &mut found.ath,
                b"htm" => &mut found.htm,
                b"htu" => &mut found.htu,
                b"jti" => &mut found.jti,
                b"nonce" => &mut found.nonce,
                b"exp" => &mut found.exp,
                b"nbf" => &mut found.nbf,
                _ => continue,
            };
            *claim = Some(value);
        }
        found
    }
}

/// Step 3: all required claims.
pub(crate) fn check_presence(claims: ProofClaims<'_>, request: ProvenRequest<'_>) -> Result<(), Rejection> {
    let needs_ath = request.access_token.is_some();
    let required = [
        ("iat", claims.iat.is_some()),
        ("ath", claims.ath.is_some() || !needs_ath),
        ("htm", claims.htm.is_some()),
        ("htu", claims.htu.is_some()),
        ("jti", claims.jti.is_some()),
    ];
    if required.iter().all(|(_, is_there)| *is_there) {
        return Ok(());
    }
    let missing = required.into_iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name);
    Err(Rejection::ProofClaimsMissing { claims: missing.collect() })
}

/// RFC 9449 §4.2: `jti` distinguishes two proofs.
pub(crate) fn check_identifier(claims: ProofClaims<'_>) -> Result<(), Rejection> {
    match claims.jti.and_then(Value::as_str) {
        None => Err(Rejection::ProofIdentifierMalformed),
        Some(jti) if jti.trim().is_empty() => Err(Rejection::ProofIdentifierEmpty),
        Some(_) => Ok(()),
    }
}

/// Step 10. Where nonces are asked for, gives the times between which a proof with this one is accepted.
pub(crate) fn check_nonce(
    claims: ProofClaims<'_>,
    policy: &DpopPolicy,
    now: UnixTime,
) -> Result<Option<Range<UnixTime>>, Rejection> {
    let nonce = claims.nonce.and_then(Value::as_str);
    policy.nonces.as_ref().map(|nonces| nonces.check(nonce, now)).transpose()
}

/// Step 11, and `exp` and `nbf` where a client sends them. Gives the times from which and until which one of our servers may
/// accept the proof, if their clocks differ by no more than [`limits::CLOCKS_OF_SERVERS`].
///
/// `nonce_life`: of a good nonce. It says when the proof was made, so the client's clock doesn't matter. RFC 9449 §4.3
/// step 11, §11.1.
pub(crate) fn check_time(
    claims: ProofClaims<'_>,
    nonce_life: Option<Range<UnixTime>>,
    policy: &DpopPolicy,
    now: UnixTime,
) -> Result<Range<UnixTime>, Rejection> {
    let iat = claims.iat.and_then(date).ok_or(Rejection::ProofIssuedAtMalformed)?;
    let leeway = policy.iat_leeway;
    let life = match nonce_life {
        Some(life) => life,
        None => check_age(iat, policy, now)?,
    };
    // RFC 7519 §4.1.4, §4.1.5. RFC 9449 doesn't name them; a client that sends one means it.
    match claims.exp.map(date) {
        Some(Some(exp)) if exp.plus(leeway) > now => {}
        None => {}
        Some(_) => return Err(Rejection::ProofExpired),
    }
    match claims.nbf.map(date) {
        Some(Some(nbf)) if nbf <= now.plus(leeway) => {}
        None => {}
        Some(_) => return Err(Rejection::ProofNotYetValid),
    }
    // The leeway is for clients' clocks, and may be 0. It is added at the end, too: that does no harm.
    let (first, last) = (life.start.minus(leeway), life.end.plus(leeway));
    Ok(first.minus(limits::CLOCKS_OF_SERVERS)..last.plus(limits::CLOCKS_OF_SERVERS))
}

/// Whether a proof made at `iat`, by the client's clock, is young enough. Gives the times between which it is.
fn check_age(iat: UnixTime, policy: &DpopPolicy, now: UnixTime) -> Result<Range<UnixTime>, Rejection> {
    let (offset, leeway) = (policy.iat_offset, policy.iat_leeway);
    if iat < now.minus(offset) {
        return Err(Rejection::ProofTooOld { iat, now, offset });
    }
    if iat > now.plus(leeway) {
        return Err(Rejection::ProofFromFuture { iat, now, leeway });
    }
    Ok(iat..iat.plus(offset))
}

/// Step 8. RFC 9110 §9.1: methods are case-sensitive.
pub(crate) fn check_method(claims: ProofClaims<'_>, request: ProvenRequest<'_>) -> Result<(), Rejection> {
    let htm = claims.htm.and_then(Value::as_str);
    if htm == Some(request.method) { Ok(()) } else { Err(Rejection::ProofMethodMismatch) }
}

/// Step 9
pub(crate) fn check_url(claims: ProofClaims<'_>, request: ProvenRequest<'_>) -> Result<(), Rejection> {
    let htu = claims.htu.and_then(Value::as_str);
    let same = htu.is_some_and(|htu| same_target(htu, request.url));
    if same { Ok(()) } else { Err(Rejection::ProofUrlMismatch) }
}

/// Step 12, first half: the access token is the one that came with it.
pub(crate) fn check_token(claims: ProofClaims<'_>, request: ProvenRequest<'_>) -> Result<(), Rejection> {
    check_token_hash(claims, request.access_token.map(token_hash).as_deref())
}

fn check_token_hash(claims: ProofClaims<'_>, hash: Option<&str>) -> Result<(), Rejection> {
    let Some(hash) = hash else { return Ok(()) };
    let ath = claims.ath.and_then(Value::as_str);
    if ath == Some(hash) { Ok(()) } else { Err(Rejection::ProofTokenMismatch) }
}

/// What `ath` is of this access token.
pub(crate) fn token_hash(token: &str) -> String {
    base64url::encode(&sha256(&[token.as_bytes()]))
}

impl VerifiedProof {
    /// Its claims.
    pub fn into_claims(self) -> JsonObject {
        self.claims
    }

    /// Of the key that made it.
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    pub(crate) fn nonce(&self) -> Option<&str> {
        self.claims.get("nonce").and_then(Value::as_str)
    }

    pub(crate) fn identifier(&self) -> &str {
        self.claims.get("jti").and_then(Value::as_str).unwrap_or_default()
    }

    /// How long from `now` on it is to be remembered.
    pub(crate) fn remaining(&self, now: UnixTime) -> Duration {
        self.good.end.since(now)
    }

    /// Before this time it can't have been used.
    pub(crate) fn usable_since(&self) -> UnixTime {
        self.good.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::DpopMode;

    #[test]
    fn a_used_proof_is_remembered_longer_than_a_server_whose_clock_is_behind_accepts_it() {
        let at = |seconds: f64| UnixTime::from_seconds(1_700_000_000.0 + seconds).unwrap();
        let claims = JsonObject::parse(br#"{"iat":1700000000}"#.to_vec()).unwrap();
        for leeway in [0, 30] {
            let policy = DpopPolicy::new(DpopMode::Accepted)
                .with_window(Duration::from_secs(300), Duration::from_secs(leeway));
            let good = check_time(ProofClaims::of(&claims), None, &policy, at(0.0)).unwrap();
            // Our clock is 0.2 s ahead: for the other server it is 300 s, and the proof is not too old yet.
            assert!(check_time(ProofClaims::of(&claims), None, &policy, at(300.0)).is_ok());
            assert!(good.contains(&at(300.2)));
            assert!(good.contains(&at(304.9)));
            assert!(good.end <= at(340.0), "but not for ever");
            assert!(good.contains(&at(-4.9)) && good.start >= at(-40.0));
        }
    }
}
