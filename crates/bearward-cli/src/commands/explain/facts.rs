//! What each check expected and what it found, as text that is safe to print.

use bearward_core::{
    Explanation, Scheme, UnixTime, check::Check, documents::KeyStatus, encoding::json::JsonObject, http::url,
};
use serde_json::{Map, Value};

use super::{
    pasted,
    question::{PROOF_WINDOW, Question},
    when,
};
use crate::{commands::recipients::AcceptedRecipients, tenant::issuer_kind::IssuerKind, terminal::output};

/// Where issuers write the client that a token was issued to, in the engine's order.
const CLIENT_CLAIMS: [&str; 3] = ["client_id", "azp", "cid"];

/// Text from a token is cut to this length.
const LENGTH: usize = 200;

/// A question, and the engine's explanation.
pub(super) struct Case<'a> {
    pub(super) question: &'a Question,
    pub(super) explanation: &'a Explanation,
    pub(super) header: Option<Members>,
    pub(super) claims: Option<Members>,
    pub(super) proof_header: Option<Members>,
    pub(super) proof_claims: Option<Members>,
    /// The issuer's published keys.
    pub(super) keys: &'a [KeyStatus],
    /// Which product the issuer is.
    pub(super) kind: IssuerKind,
}

pub(super) type Members = Map<String, Value>;

/// The two sides of a check.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) expected: Option<String>,
    pub(super) actual: Option<String>,
}

impl<'a> Case<'a> {
    pub(super) fn new(question: &'a Question, explanation: &'a Explanation, keys: &'a [KeyStatus]) -> Self {
        let members = |object: Option<&JsonObject>| {
            Some(without_private_keys(serde_json::from_str(object?.text()).ok()?))
        };
        let claims = members(explanation.claims());
        Self {
            question,
            explanation,
            header: members(explanation.header()),
            kind: kind(question, claims.as_ref(), explanation),
            claims,
            proof_header: members(explanation.proof_header()),
            proof_claims: members(explanation.proof_claims()),
            keys,
        }
    }

    pub(super) fn facts(&self, check: Check) -> Facts {
        let question = self.question;
        let header = |name| member(self.header.as_ref(), name);
        let claim = |name| member(self.claims.as_ref(), name);
        let proof_header = |name| member(self.proof_header.as_ref(), name);
        let proof_claim = |name| member(self.proof_claims.as_ref(), name);
        let now = when::date(question.now);
        let (earliest, latest) = (question.now.minus(question.leeway), question.now.plus(question.leeway));
        let (expected, actual) = match check {
            Check::Credentials => (None, Some(self.sent())),
            Check::ProofShape => (some("three segments"), question.proof.as_deref().map(shape)),
            Check::TokenShape => (some("three segments"), Some(shape(&question.token))),
            Check::Algorithm => (some(&question.algorithms.to_string()), header("alg")),
            Check::Type => (some("JWT, at+jwt, or none"), header("typ")),
            Check::Payload => (some("strict JSON, and a signature, in base64url"), None),
            Check::Issuer => (Some(self.issuers()), claim("iss")),
            Check::KeyId => (some("a kid, or one published key alone that fits"), header("kid")),
            Check::Discovery => (None, self.explanation.metadata().map(|found| printable(found.jwks_uri()))),
            Check::KeySet => (None, Some(self.published())),
            Check::Key => (Some(format!("one of {}", self.published())), header("kid")),
            Check::IssuerSpelling => {
                (self.explanation.metadata().map(|found| printable(found.issuer())), claim("iss"))
            }
            Check::Audience => (Some(self.recipients()), self.named_recipient()),
            Check::Expiry => {
                (Some(format!("later than {}", when::date(earliest))), self.time(self.claims.as_ref(), "exp"))
            }
            Check::NotBefore => {
                (Some(format!("{} or before", when::date(latest))), self.time(self.claims.as_ref(), "nbf"))
            }
            Check::IssuedAt => (some("a time"), self.time(self.claims.as_ref(), "iat")),
            Check::Subject => (some("a string, if it is there"), claim("sub")),
            Check::Binding => (some(self.expected_confirmation()), claim("cnf")),
            Check::ProofType => (some("dpop+jwt"), proof_header("typ")),
            Check::ProofAlgorithm => (some(&question.proof_algorithms.to_string()), proof_header("alg")),
            Check::ProofKey => (some("a public key that fits alg"), self.proof_key()),
            Check::ProofPayload => (some("jti, htm, htu, iat and ath"), self.proof_members()),
            Check::ProofIdentifier => (some("a string that was not used before"), proof_claim("jti")),
            Check::ProofNonce => (some("a nonce of the API"), proof_claim("nonce")),
            Check::ProofTime => (
                Some(format!(
                    "from {} before to {} after {now}",
                    when::span(PROOF_WINDOW.0),
                    when::span(PROOF_WINDOW.1)
                )),
                self.time(self.proof_claims.as_ref(), "iat"),
            ),
            Check::ProofMethod => (Some(printable(&question.method)), proof_claim("htm")),
            Check::ProofUrl => (Some(in_normal_form(&question.url)), self.htu().map(in_normal_form)),
            Check::ProofToken => (self.explanation.token_hash().map(printable), proof_claim("ath")),
            Check::ProofBinding => (
                self.jkt().map(printable),
                self.explanation.proof_thumbprint().map(|thumbprint| printable(&thumbprint.to_string())),
            ),
            Check::Scope => (Some(printable(&question.scopes.join(" "))), claim(self.scope_claim())),
            // The reason says it all, or the check needs more than a token.
            Check::Signature | Check::RequiredClaims | Check::Replay | _ => (None, None),
        };
        Facts { expected, actual }
    }

    /// `htu`, if it is a string.
    pub(super) fn htu(&self) -> Option<&str> {
        self.proof_claims.as_ref()?.get("htu")?.as_str()
    }

    /// `cnf.jkt`, if it is a string.
    pub(super) fn jkt(&self) -> Option<&str> {
        self.claims.as_ref()?.get("cnf")?.get("jkt")?.as_str()
    }

    /// The `kid` of each published key, and why it can't be used if so.
    pub(super) fn published(&self) -> String {
        let kid = |kid: &str| if kid.is_empty() { "a key without kid".to_owned() } else { printable(kid) };
        joined(self.keys.iter().map(|key| match key.problem {
            Some(problem) => format!("{} ({problem})", kid(&key.kid)),
            None => kid(&key.kid),
        }))
    }

    pub(super) fn issuers(&self) -> String {
        joined(self.question.issuers.iter().map(|issuer| issuer.url().to_string()))
    }

    /// The claim with the scopes: of those that may have them, the first one that is there.
    pub(super) fn scope_claim(&self) -> &str {
        let names = self.question.scope_claim.names();
        let is_there = |name: &&&str| self.claims.as_ref().is_some_and(|claims| claims.contains_key(**name));
        names.iter().find(is_there).or(names.first()).copied().unwrap_or("scope")
    }

    /// The claim that names the client, and its value: the first one counts, as in the engine.
    pub(super) fn client(&self) -> Option<(&'static str, String)> {
        let claims = self.claims.as_ref()?;
        CLIENT_CLAIMS.into_iter().find_map(|name| Some((name, shown(claims.get(name)?))))
    }

    fn recipients(&self) -> String {
        match &self.question.recipients {
            AcceptedRecipients::Audience(audience) => printable(audience),
            AcceptedRecipients::Clients(clients) => {
                format!("no aud, and a token of {}", printable(&clients.join(" or ")))
            }
        }
    }

    fn named_recipient(&self) -> Option<String> {
        let by_client = matches!(self.question.recipients, AcceptedRecipients::Clients(_));
        match self.client().filter(|_| by_client) {
            Some((name, client)) if !self.claims.as_ref()?.contains_key("aud") => {
                Some(format!("{name} {client}"))
            }
            _ => member(self.claims.as_ref(), "aud"),
        }
    }

    fn sent(&self) -> String {
        let scheme = pasted::name(self.question.scheme);
        let with_proof = if self.question.proof.is_some() { ", with a proof" } else { "" };
        format!("{scheme}{with_proof}")
    }

    fn expected_confirmation(&self) -> &'static str {
        if self.question.scheme == Scheme::Dpop {
            "cnf.jkt, for a token with a proof"
        } else {
            "none, for a token sent as Bearer"
        }
    }

    fn proof_key(&self) -> Option<String> {
        let thumbprint = self.explanation.proof_thumbprint()?;
        Some(format!("its thumbprint is {thumbprint}"))
    }

    fn proof_members(&self) -> Option<String> {
        Some(joined(self.proof_claims.as_ref()?.keys().map(|name| printable(name))))
    }

    fn time(&self, object: Option<&Members>, name: &str) -> Option<String> {
        let value = object?.get(name)?;
        let time = value.as_f64().and_then(UnixTime::from_seconds);
        Some(time.map_or_else(|| shown(value), |time| when::relative(time, self.question.now)))
    }
}

/// The kind of the issuer that the token names, or else of the first one.
fn kind(question: &Question, claims: Option<&Members>, explanation: &Explanation) -> IssuerKind {
    let iss = claims.and_then(|claims| claims.get("iss")?.as_str()).unwrap_or_default();
    let issuers = &question.issuers;
    let named = issuers.iter().find(|issuer| issuer.url().as_str() == iss).or(issuers.first());
    named.map_or(IssuerKind::Other, |issuer| issuer.kind(explanation.metadata()))
}

/// A client may send its private key in `jwk` by mistake. It is not shown.
fn without_private_keys(mut members: Members) -> Members {
    if let Some(jwk) = members.get_mut("jwk").and_then(Value::as_object_mut) {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            if let Some(private) = jwk.get_mut(name) {
                *private = "(private: not shown)".into();
            }
        }
    }
    members
}

/// Text from outside, safe to print on one line.
pub(super) fn printable(text: &str) -> String {
    output::one_line(text, LENGTH)
}

/// A value as JSON, but strings without quotes.
pub(super) fn shown(value: &Value) -> String {
    match value.as_str() {
        Some("") => "(empty)".to_owned(),
        Some(text) => printable(text),
        None => printable(&value.to_string()),
    }
}

/// A URL as it is written and, if different, in the form that is compared.
pub(super) fn in_normal_form(text: &str) -> String {
    match url::normal_form(text) {
        Some(normal) if normal == text => printable(text),
        Some(normal) => format!("{} (compared as {})", printable(text), printable(&normal)),
        None => format!("{} (not a URL)", printable(text)),
    }
}

/// The number of segments and bytes.
fn shape(text: &str) -> String {
    let segments = text.split('.').count();
    let plural = if segments == 1 { "" } else { "s" };
    format!("{segments} segment{plural}, {} bytes", text.len())
}

fn member(object: Option<&Members>, name: &str) -> Option<String> {
    Some(object?.get(name).map_or_else(|| "(none)".to_owned(), shown))
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() { "(none)".to_owned() } else { texts.join(", ") }
}

#[expect(clippy::unnecessary_wraps, reason = "the table of facts has options")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
