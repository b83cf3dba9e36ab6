//! How each check of a request ended. The checks are those of a verification. Each is made by itself, also after a failed
//! one, as far as that makes sense. Their order is that of [`Check`].

use core::cmp::Ordering;
use std::collections::HashSet;

use super::{Explanation, Finding, Outcome, Step};
use crate::check::Check;
use crate::decision::{Decision, Refused, Verified};
use crate::encoding::json::JsonObject;
use crate::http::request::RequestFacts;
use crate::http::scheme::Scheme;
use crate::issuer::metadata::Metadata;
use crate::issuer::{IssuerRefused, IssuerUrl};
use crate::jose::jwk::VerificationKey;
use crate::jose::thumbprint::Thumbprint;
use crate::policy::{Policy, ReplayProtection};
use crate::refusal::Cause;
use crate::rejection::Rejection;
use crate::scope;
use crate::time::UnixTime;
use crate::verify::certificate::Sender;
use crate::verify::credentials::Presented;
use crate::verify::introspection::Known;
use crate::verify::proof::{self, ProofClaims, ProvenRequest, UnverifiedProof};
use crate::verify::registered_claims::RegisteredClaims;
use crate::verify::{Verifier, binding, encrypted, header, recipient};

impl Verifier {
    /// Explains `outcome`, the decision about a request: how each check ended, and then the check of `required_scopes`.
    ///
    /// `decision`: the one that led to `outcome`. This is slower than a decision. It is for people who ask why, not for every
    /// request.
    pub fn explain(
        &self,
        request: &RequestFacts<'_>,
        decision: &Decision,
        outcome: Result<Verified, Box<Refused>>,
        required_scopes: &[&str],
        now: UnixTime,
    ) -> Explanation {
        let outcome = outcome.and_then(|verified| {
            self.require_scopes(&verified, required_scopes)?;
            Ok(verified)
        });
        let presented = Presented::of(&request.headers, self.policy.dpop.mode);
        let token = presented.token.map(|token| match self.said_of(token) {
            Some(Known::Active(active)) => ReadToken::introspected(Some(active.claims().clone())),
            Some(Known::Inactive | Known::Nothing) => ReadToken::introspected(None),
            None => ReadToken::of(token, &self.policy),
        });
        let proof = presented.proof.map(|proof| UnverifiedProof::read(proof, &self.policy.dpop));
        let mut evidence = Evidence {
            policy: &self.policy,
            sender: Sender::of(request, self.policy.mutual_tls),
            method: request.method,
            url: &request.public_url(),
            issuers: decision.resolved_issuers(),
            required_scopes,
            now,
            presented,
            token: token.unwrap_or_default(),
            metadata: None,
            proof,
        };
        evidence.metadata =
            evidence.issuer().and_then(Result::ok).and_then(|issuer| self.documents.kept_metadata(issuer));
        evidence.explanation(outcome)
    }
}

/// All that can be read of a request, whatever is wrong with it. Nothing in it is trusted.
struct Evidence<'a> {
    policy: &'a Policy,
    sender: Sender<'a>,
    method: &'a str,
    url: &'a str,
    issuers: Option<&'a HashSet<IssuerUrl>>,
    required_scopes: &'a [&'a str],
    now: UnixTime,
    presented: Presented<'a>,
    token: ReadToken,
    /// The discovery document of the issuer that the token names, if that issuer is accepted.
    metadata: Option<Metadata>,
    proof: Option<Result<UnverifiedProof<'a>, Rejection>>,
}

/// What can be read of an access token.
#[derive(Default)]
struct ReadToken {
    /// The issuer says what is in it: there is no header and no signature.
    is_opaque: bool,
    shape: Judgement,
    header: Option<JsonObject>,
    payload: Judgement,
    claims: Option<JsonObject>,
}

/// `None`: the check could not be made, because something is missing.
type Judgement = Option<Result<(), Rejection>>;

impl ReadToken {
    fn of(token: &str, policy: &Policy) -> Self {
        match encrypted::open(token, policy) {
            Err(rejection) => Self { shape: Some(Err(rejection)), ..Self::default() },
            Ok(None) => Self::of_signed(token, policy),
            Ok(Some(opened)) => {
                let mut read = Self::of_signed(opened.token(), policy);
                if let (Some(claims), Some(Ok(()))) = (&read.claims, &read.payload) {
                    read.payload = Some(opened.check_replicated(claims));
                }
                read
            }
        }
    }

    fn introspected(claims: Option<JsonObject>) -> Self {
        Self { is_opaque: true, shape: Some(Ok(())), claims, ..Self::default() }
    }

    fn of_signed(token: &str, policy: &Policy) -> Self {
        let segments = match header::segments(token.as_bytes(), policy) {
            Ok(segments) => segments,
            Err(rejection) => return Self { shape: Some(Err(rejection)), ..Self::default() },
        };
        let head = header::header(&segments);
        let shape = head.as_ref().map_err(Clone::clone).and_then(header::check_extensions);
        let claims = header::payload(&segments);
        let payload = match &claims {
            Ok(_) => header::signature(&segments).map(drop),
            Err(rejection) => Err(rejection.clone()),
        };
        Self {
            is_opaque: false,
            shape: Some(shape),
            header: head.ok(),
            payload: Some(payload),
            claims: claims.ok(),
        }
    }
}

impl<'a> Evidence<'a> {
    fn explanation(self, outcome: Outcome) -> Explanation {
        let steps = Check::ALL.into_iter().map(|check| self.step(check, &outcome)).collect();
        let proof = self.proof();
        Explanation {
            scheme: self.presented.scheme,
            steps,
            proof_header: proof.map(|proof| proof.header().clone()),
            proof_claims: proof.and_then(|proof| proof.claims().ok()),
            proof_thumbprint: self.proof_key().and_then(Result::ok).map(|(_, thumbprint)| thumbprint),
            token_hash: self.presented.token.map(proof::token_hash),
            metadata: self.metadata,
            header: self.token.header,
            claims: self.token.claims,
            outcome,
        }
    }

    fn step(&self, check: Check, outcome: &Outcome) -> Step {
        let finding = if !self.applies(check) {
            Finding::NotApplicable
        } else if takes_more_than_the_request(check) {
            decided(check, outcome)
        } else {
            match self.judge(check) {
                Some(Ok(())) => Finding::Passed,
                Some(Err(rejection)) => Finding::Failed(rejection.into()),
                None => Finding::NotReached,
            }
        };
        let has_result = matches!(finding, Finding::Passed | Finding::Failed(_));
        Step { check, unverified: has_result && self.is_unverified(check, outcome), finding }
    }

    fn applies(&self, check: Check) -> bool {
        let of_proof = check == Check::ProofShape || (Check::ProofType..=Check::Replay).contains(&check);
        let with_proof = self.presented.scheme == Some(Scheme::Dpop);
        let dpop = &self.policy.dpop;
        !(of_proof && !with_proof
            || self.token.is_opaque && OF_JWTS.contains(&check)
            || self.token.is_opaque && check == Check::Discovery && !self.discovers_endpoint()
            || check == Check::ProofNonce && dpop.nonces.is_none()
            || check == Check::Replay && dpop.replay == ReplayProtection::Off
            || check == Check::Scope && self.required_scopes.is_empty())
    }

    /// Whether the discovery document says where the issuer is asked about opaque tokens.
    fn discovers_endpoint(&self) -> bool {
        self.policy.introspection.as_ref().is_some_and(|asked| asked.endpoint.is_none())
    }

    /// One check by itself. A request that is refused when its header fields are read does not get to the check that it fails.
    fn judge(&self, check: Check) -> Judgement {
        match &self.presented.refused {
            Some(rejection) if rejection.check() == check => Some(Err(rejection.clone())),
            _ => self.look(check),
        }
    }

    fn look(&self, check: Check) -> Judgement {
        let (policy, dpop, now) = (self.policy, &self.policy.dpop, self.now);
        let (head, claims) = (self.token.header.as_ref(), self.token.claims.as_ref());
        let request = self.proven_request();
        let answered = policy.introspection.as_ref().filter(|_| self.token.is_opaque);
        match check {
            Check::IssuerSpelling => Some(match answered {
                Some(asked) => RegisteredClaims::of(claims?).check_introspected_issuer(&asked.issuer),
                None => RegisteredClaims::of(claims?).check_issuer(self.metadata.as_ref()?),
            }),
            Check::Credentials => Some(Ok(())),
            Check::ProofShape => Some(self.proof.as_ref()?.as_ref().map(drop).map_err(Clone::clone)),
            Check::TokenShape => self.token.shape.clone(),
            Check::Algorithm => Some(header::algorithm(head?, policy).map(drop)),
            Check::Type => Some(header::check_type(head?)),
            Check::Payload => self.token.payload.clone(),
            Check::Issuer => Some(self.issuer()?.map(drop)),
            Check::KeyId => Some(header::kid(head?).map(drop)),
            Check::Audience if answered.is_some() => Some(recipient::check_introspected(
                claims?.object(),
                claims?.get("aud"),
                &policy.recipients,
                policy.scopes.claim(),
            )),
            Check::Audience => Some(recipient::check(
                claims?.object(),
                claims?.get("aud"),
                head.map_or(header::TokenType::Any, header::token_type),
                &policy.recipients,
                policy.scopes.claim(),
            )),
            Check::Expiry if answered.is_some() => {
                Some(RegisteredClaims::of(claims?).check_introspected_expiry(policy, now))
            }
            Check::Expiry => Some(RegisteredClaims::of(claims?).check_expiry(policy, now)),
            Check::NotBefore => Some(RegisteredClaims::of(claims?).check_not_before(policy, now)),
            Check::IssuedAt if answered.is_some() => {
                Some(RegisteredClaims::of(claims?).check_introspected_issued_at())
            }
            Check::IssuedAt => Some(RegisteredClaims::of(claims?).check_issued_at()),
            Check::Subject => Some(RegisteredClaims::of(claims?).check_subject()),
            Check::Binding => Some(self.look_at_binding(claims?, self.presented.scheme?)),
            Check::ProofType => Some(self.proof()?.check_type()),
            Check::ProofAlgorithm => Some(self.proof()?.algorithm(dpop).map(drop)),
            Check::ProofKey => Some(self.proof_key()?.map(drop)),
            Check::ProofSignature => Some(self.proof()?.check_signature(&self.proof_key()?.ok()?.0)),
            Check::ProofPayload => Some(
                self.proof()?
                    .claims()
                    .and_then(|claims| proof::check_presence(ProofClaims::of(&claims), request)),
            ),
            Check::ProofIdentifier => Some(proof::check_identifier(ProofClaims::of(&self.proof_claims()?))),
            Check::ProofNonce => {
                Some(proof::check_nonce(ProofClaims::of(&self.proof_claims()?), dpop, now).map(drop))
            }
            Check::ProofTime => {
                let claims = self.proof_claims()?;
                let claims = ProofClaims::of(&claims);
                let nonce_life = proof::check_nonce(claims, dpop, now).ok().flatten();
                Some(proof::check_time(claims, nonce_life, dpop, now).map(drop))
            }
            Check::ProofMethod => Some(proof::check_method(ProofClaims::of(&self.proof_claims()?), request)),
            Check::ProofUrl => Some(proof::check_url(ProofClaims::of(&self.proof_claims()?), request)),
            Check::ProofToken => Some(proof::check_token(ProofClaims::of(&self.proof_claims()?), request)),
            Check::ProofBinding => {
                let jkt = binding::of_dpop_token(claims?.get("cnf"), &self.sender).ok()?;
                Some(binding::check_thumbprint(jkt, &self.proof_key()?.ok()?.1))
            }
            Check::Scope => Some(scope::require(claims?.object(), &policy.scopes, self.required_scopes)),
            // The outcome has the first five. The last one is only for tokens without a request.
            Check::Discovery
            | Check::KeySet
            | Check::Key
            | Check::Signature
            | Check::Replay
            | Check::RequiredClaims
            | Check::Requirement => None,
        }
    }

    fn look_at_binding(&self, claims: &JsonObject, scheme: Scheme) -> Result<(), Rejection> {
        let mode = self.policy.dpop.mode;
        match scheme {
            Scheme::Bearer => {
                if self.token.is_opaque {
                    binding::check_said(claims.object(), mode)?;
                }
                binding::check_bearer(claims.get("cnf"), mode, &self.sender)?;
                binding::check_no_proof(self.presented.beside_proof, mode)
            }
            Scheme::Dpop => binding::of_dpop_token(claims.get("cnf"), &self.sender).map(drop),
        }
    }

    /// The accepted issuer that the token names. `None` if it is not known.
    fn issuer(&self) -> Option<Result<&IssuerUrl, Rejection>> {
        let selected = match header::issuer(self.token.claims.as_ref()?.get("iss")) {
            Ok(iss) => self.policy.issuers.select(iss, self.issuers),
            Err(rejection) => return Some(Err(rejection)),
        };
        match selected {
            Ok(issuer) => Some(Ok(issuer)),
            Err(IssuerRefused::AskResolver(_)) => None,
            Err(refused) => Some(Err(refused.into())),
        }
    }

    fn proven_request(&self) -> ProvenRequest<'a> {
        ProvenRequest { method: self.method, url: self.url, access_token: self.presented.token }
    }

    fn proof(&self) -> Option<&UnverifiedProof<'a>> {
        self.proof.as_ref()?.as_ref().ok()
    }

    fn proof_key(&self) -> Option<Result<(VerificationKey, Thumbprint), Rejection>> {
        let algorithm = self.proof()?.algorithm(&self.policy.dpop).ok()?;
        Some(self.proof()?.key(algorithm))
    }

    /// Only if none is missing: nothing can be said about a claim that is not there.
    fn proof_claims(&self) -> Option<JsonObject> {
        let claims = self.proof()?.claims().ok()?;
        proof::check_presence(ProofClaims::of(&claims), self.proven_request()).ok().map(|()| claims)
    }

    /// Whether anybody may have written what the check looked at.
    fn is_unverified(&self, check: Check, outcome: &Outcome) -> bool {
        let of_claims = (Check::IssuerSpelling..=Check::Binding).contains(&check) || check == Check::Scope;
        let of_proof = (Check::ProofPayload..Check::ProofBinding).contains(&check);
        let of_both = check == Check::ProofBinding;
        let proof_holds = || self.look(Check::ProofSignature) == Some(Ok(()));
        let token_holds = || decided(Check::Signature, outcome) == Finding::Passed;
        (of_claims || of_both) && !token_holds() || (of_proof || of_both) && !proof_holds()
    }
}

/// Checks of what an opaque token doesn't have.
const OF_JWTS: [Check; 7] =
    [Check::Algorithm, Check::Type, Check::Payload, Check::Issuer, Check::KeyId, Check::KeySet, Check::Key];

/// How a check ended, by the decision alone. Checks before the one that decided have passed, those after it were not reached.
fn decided(check: Check, outcome: &Outcome) -> Finding {
    let Err(refused) = outcome else { return Finding::Passed };
    match check.cmp(&refused.cause.check()) {
        Ordering::Less => Finding::Passed,
        Ordering::Equal => match &refused.cause {
            Cause::Unavailable(unavailable) => Finding::Undecided(*unavailable),
            cause @ (Cause::Rejected(_) | Cause::Resolver(_)) => Finding::Failed(cause.clone()),
        },
        Ordering::Greater => Finding::NotReached,
    }
}

/// Whether the check needs documents, or knowledge of earlier requests. Then [`decided`] says how it ended.
fn takes_more_than_the_request(check: Check) -> bool {
    matches!(check, Check::Discovery | Check::KeySet | Check::Key | Check::Signature | Check::Replay)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::decision::{Next, Question, StoreAnswer};
    use crate::documents::Response;
    use crate::http::headers::Field;
    use crate::http::request::RequestUrl;
    use crate::issuer::Issuers;
    use crate::policy::{Audience, DpopMode, DpopPolicy};
    use crate::refusal::Unavailable;
    use crate::verify::replay::ReplayLog;

    const CASES: &str = include_str!("../../../../vectors/dpop_scheme.json");
    const DISCOVERY: &str = include_str!("../../../../vectors/documents/discovery.json");
    const KEY_SET: &str = include_str!("../../../../vectors/documents/key-set.json");

    /// The explanation of a good request with a proof, if the log has no room and the store says `answer`.
    fn explain(replay: ReplayProtection, answer: StoreAnswer) -> Explanation {
        let dpop = DpopPolicy::new(DpopMode::Accepted).with_replay_protection(replay);
        let issuers = Issuers::single(IssuerUrl::parse("tenant.example.com").unwrap());
        let policy = Policy::new(issuers, Audience::new("https://api.example.com").unwrap()).with_dpop(dpop);
        let used_proofs = ReplayLog::with_capacity(policy.dpop.window(), 0);
        let verifier = Verifier { used_proofs, ..Verifier::new(policy) };
        let file: Value = serde_json::from_str(CASES).unwrap();
        let case = &file["cases"]["bound_token_with_proof_is_accepted"];
        let text = |path: &str| case.pointer(path).and_then(Value::as_str).unwrap();
        let request = RequestFacts {
            method: text("/request/method"),
            url: RequestUrl::Whole(text("/request/url")),
            ..RequestFacts::with_credentials(
                Field::Once(text("/request/headers/0/1").as_bytes()),
                Field::Once(text("/request/headers/1/1").as_bytes()),
            )
        };
        let now = UnixTime::from_seconds(1_800_000_000.0).unwrap();
        let mut documents = [DISCOVERY, KEY_SET].into_iter();
        let mut decision = Decision::new();
        loop {
            match verifier.next(&mut decision, Question::Request(&request), now) {
                Next::Fetch(needed) => {
                    let document = Response::document(documents.next().unwrap().into());
                    verifier.documents().answered(&needed, document, now).unwrap();
                }
                Next::CheckReplay { .. } => decision.sighting(answer),
                Next::ResolveIssuers(_) | Next::Introspect(_) => {
                    panic!("there is no resolver, and no introspection")
                }
                Next::Done(outcome) => return verifier.explain(&request, &decision, outcome, &[], now),
            }
        }
    }

    #[test]
    fn a_full_log_of_used_proofs_leaves_it_undecided() {
        let explanation = explain(ReplayProtection::InProcess, StoreAnswer::Unknown);
        assert_eq!(explanation.outcome().as_ref().unwrap_err().cause.code(), "replay_log_full");
        assert_eq!(explanation.finding(Check::Replay), &Finding::Undecided(Unavailable::ReplayLogFull));
        assert_eq!(explanation.first_failure().map(|step| step.check), Some(Check::Replay));
    }

    #[test]
    fn a_shared_store_has_the_last_word() {
        let explanation = explain(ReplayProtection::Shared, StoreAnswer::Again);
        assert_eq!(explanation.finding(Check::Replay), &Finding::Failed(Rejection::ProofReplayed.into()));
        assert_eq!(explanation.finding(Check::ProofBinding), &Finding::Passed);
        let explanation = explain(ReplayProtection::Shared, StoreAnswer::Unknown);
        assert_eq!(explanation.finding(Check::Replay), &Finding::Undecided(Unavailable::ReplayStore));
        assert!(explain(ReplayProtection::Shared, StoreAnswer::First).outcome().is_ok());
    }

    #[test]
    fn without_replay_protection_there_is_no_such_check() {
        let explanation = explain(ReplayProtection::Off, StoreAnswer::Unknown);
        assert_eq!(explanation.finding(Check::Replay), &Finding::NotApplicable);
        assert!(explanation.outcome().is_ok());
    }
}
