//! The ways of verifying that are compared.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use bearward_core::documents::Response;
use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::policy::{Audience, Policy};
use bearward_core::{Decision, Next, Question, UnixTime, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::measure::Contender;
use crate::requests::{AUDIENCE, Client, DOMAIN, ISSUER, KID, Request, Tenant};

/// The signed bytes and the signatures, handed to aws-lc-rs: no parsing, no claims. The token's key is prepared in
/// advance; the proof's comes with the proof, so each check takes it as it comes.
pub(crate) struct BareChecks {
    key: ParsedPublicKey,
}

impl BareChecks {
    pub(crate) fn new(tenant: &Tenant) -> Self {
        Self { key: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, tenant.public_key()).unwrap() }
    }
}

impl Contender for BareChecks {
    fn name(&self) -> &'static str {
        "aws-lc-rs, bare signature checks"
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let started = Instant::now();
        for Request { token, proof, .. } in requests {
            self.key.verify_sig(black_box(token.message()), token.signature()).unwrap();
            if let Some((proof, key)) = proof {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
                key.verify(black_box(proof.message()), proof.signature()).unwrap();
            }
        }
        started.elapsed().as_secs_f64()
    }
}

/// The same with the proofs' key prepared in advance too, as no verifier can that hasn't met the client before.
pub(crate) struct PreparedChecks {
    token_key: ParsedPublicKey,
    proof_key: ParsedPublicKey,
}

impl PreparedChecks {
    pub(crate) fn new(tenant: &Tenant, client: &Client) -> Self {
        Self {
            token_key: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, tenant.public_key()).unwrap(),
            proof_key: ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, client.public_key()).unwrap(),
        }
    }
}

impl Contender for PreparedChecks {
    fn name(&self) -> &'static str {
        "aws-lc-rs, proofs' key prepared"
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let started = Instant::now();
        for Request { token, proof, .. } in requests {
            self.token_key.verify_sig(black_box(token.message()), token.signature()).unwrap();
            let (proof, _) = proof.as_ref().unwrap();
            self.proof_key.verify_sig(black_box(proof.message()), proof.signature()).unwrap();
        }
        started.elapsed().as_secs_f64()
    }
}

/// The same of the proofs alone.
pub(crate) struct BareProofChecks;

impl Contender for BareProofChecks {
    fn name(&self) -> &'static str {
        "aws-lc-rs, bare checks of the proofs"
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let started = Instant::now();
        for request in requests {
            let (proof, key) = request.proof.as_ref().unwrap();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
            key.verify(black_box(proof.message()), proof.signature()).unwrap();
        }
        started.elapsed().as_secs_f64()
    }
}

/// How many tokens there is room for where others are pushed out.
const ROOM: usize = 1024;

/// From the header fields to checked claims.
pub(crate) struct Bearward {
    documents: [Value; 2],
    first: Request,
    sight: Sight,
    /// What fills the memory.
    others: Vec<Request>,
}

/// What the verifier knows of the tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nothing.
    New,
    /// They came so often that they are remembered.
    Seen,
    /// They came as often, and there is no room for them.
    PushedOut,
}

impl Bearward {
    pub(crate) fn new(tenant: &Tenant, first: Request, sight: Sight) -> Self {
        let others = if sight == Sight::PushedOut { tenant.others(ROOM + ROOM / 2) } else { Vec::new() };
        Self { documents: tenant.documents(), first, sight, others }
    }

    /// A verifier that has its documents, and knows of the tokens what it should.
    pub(crate) fn verifier(&self, requests: &[Request]) -> Verifier {
        let issuers = Issuers::single(IssuerUrl::parse(DOMAIN).unwrap());
        let policy = Policy::new(issuers, Audience::new(AUDIENCE).unwrap());
        let verifier = Verifier::new(match self.sight {
            Sight::New | Sight::Seen => policy,
            Sight::PushedOut => policy.with_tokens_remembered(ROOM),
        });
        bring(&verifier, &IssuerUrl::parse(DOMAIN).unwrap(), &self.documents, now());
        assert!(matches!(decide(&verifier, &self.first, now()), Next::Done(Ok(_))));
        if self.sight != Sight::New {
            self.see_twice(&verifier, requests);
        }
        verifier
    }

    fn see_twice(&self, verifier: &Verifier, requests: &[Request]) {
        let alone = |request: &Request| {
            let question = Question::AccessToken { token: request.token.compact(), required_claims: &[] };
            assert!(matches!(verifier.next(&mut Decision::new(), question, now()), Next::Done(Ok(_))));
        };
        for request in self.others.iter().chain(requests) {
            alone(request);
            alone(request);
            let came =
                verifier.next(&mut Decision::new(), Question::Request(&request.earlier_facts()), now());
            assert!(matches!(came, Next::Done(Ok(_))));
        }
    }
}

impl Contender for Bearward {
    fn name(&self) -> &'static str {
        match self.sight {
            Sight::New => "bearward, Verifier::next",
            Sight::Seen => "bearward, seen tokens",
            Sight::PushedOut => "bearward, pushed out",
        }
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let verifier = self.verifier(requests);
        let started = Instant::now();
        for request in requests {
            let next = decide(&verifier, black_box(request), now());
            assert!(matches!(black_box(next), Next::Done(Ok(_))));
        }
        started.elapsed().as_secs_f64()
    }
}

/// Hands the documents of an issuer to a verifier.
pub(crate) fn bring(verifier: &Verifier, issuer: &IssuerUrl, documents: &[Value; 2], at: UnixTime) {
    for document in documents {
        let needed = verifier.documents().missing(issuer, at).unwrap();
        let response = Response::document(document.to_string().into_bytes());
        verifier.documents().answered(&needed, response, at).unwrap();
    }
}

pub(crate) fn decide(verifier: &Verifier, request: &Request, at: UnixTime) -> Next {
    verifier.next(&mut Decision::new(), Question::Request(&request.facts()), at)
}

/// The same checks of a Bearer token with the `jsonwebtoken` crate: the key by the header's `kid`, then signature and
/// claims.
pub(crate) struct Jsonwebtoken {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

impl Jsonwebtoken {
    pub(crate) fn new(tenant: &Tenant) -> Self {
        let (n, e) = tenant.components();
        let key = DecodingKey::from_rsa_components(&n, &e).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Self { keys: HashMap::from([(KID.to_owned(), key)]), validation }
    }
}

impl Contender for Jsonwebtoken {
    fn name(&self) -> &'static str {
        "jsonwebtoken, decode"
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let started = Instant::now();
        for request in requests {
            let token = black_box(&request.authorization).strip_prefix("Bearer ").unwrap();
            let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
            let claims =
                jsonwebtoken::decode::<Map<String, Value>>(token, &self.keys[&kid], &self.validation);
            black_box(claims).unwrap();
        }
        started.elapsed().as_secs_f64()
    }
}

pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()).unwrap()
}
