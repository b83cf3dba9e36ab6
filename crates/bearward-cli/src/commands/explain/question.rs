//! The request to check, and the settings of the API: the checked arguments.

use std::{fmt, time::Duration, time::SystemTime};

use bearward_core::{
    Field, RequestFacts, RequestUrl, Scheme, UnixTime, Verifier,
    issuer::{IssuerUrl, Issuers},
    jose::algorithm::{Algorithm, AlgorithmSet},
    policy::{Audience, DpopPolicy, Nonces, Policy, ReplayProtection, StatusProfile},
};

use super::pasted::{PROOF, Pasted, TOKEN, name, text_of};
use crate::{
    commands::args::ExplainArgs,
    tenant::domain::Domain,
    terminal::{failure::Failure, input},
};

/// How long an API accepts a nonce by default (`dpop_nonce_lifetime`).
const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// How old a proof may be, and how far in the future, by an API's defaults (`dpop_iat_offset`, `dpop_iat_leeway`).
pub(super) const PROOF_WINDOW: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(30));

/// A request, and the settings of the API. `Debug` hides token and proof.
pub(super) struct Question {
    pub(super) token: String,
    pub(super) scheme: Scheme,
    pub(super) proof: Option<String>,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) issuers: Vec<IssuerUrl>,
    pub(super) audience: String,
    pub(super) algorithms: AlgorithmSet,
    pub(super) proof_algorithms: AlgorithmSet,
    pub(super) scopes: Vec<String>,
    pub(super) leeway: Duration,
    pub(super) now: UnixTime,
    /// Remarks on the arguments.
    pub(super) notes: Vec<String>,
    policy: Policy,
    authorization: String,
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("notes", &self.notes).finish_non_exhaustive()
    }
}

impl Question {
    pub(super) fn checked(args: ExplainArgs) -> Result<Self, Failure> {
        let token = if args.token.is_empty() { "-".to_owned() } else { args.token.join(" ") };
        if token == "-" && args.proof.as_deref() == Some("-") {
            return Err(Failure::usage("token and proof can't both come from stdin.")
                .with_hint("--proof @FILE reads the proof from a file."));
        }
        let token = Pasted::extract(TOKEN, &text_of(TOKEN, &token)?)?;
        let proof = match &args.proof {
            Some(argument) => Some(Pasted::extract(PROOF, &text_of(PROOF, argument)?)?),
            None => None,
        };
        let policy = policy(&args)?;
        let mut notes = token.notes;
        notes.extend(proof.iter().flat_map(|proof| proof.notes.clone()));
        notes.extend(args.domain.iter().filter_map(note_on));
        if args.audience.had_space() {
            notes.push("white space around the audience is ignored.".to_owned());
        }
        let as_proof_says = if proof.is_some() { Scheme::Dpop } else { Scheme::Bearer };
        let scheme = args.scheme.or(token.scheme).unwrap_or(as_proof_says);
        Ok(Self {
            authorization: format!("{} {}", name(scheme), token.text),
            token: token.text,
            scheme,
            proof: proof.map(|proof| proof.text),
            method: args.method,
            url: args.url.unwrap_or_default(),
            issuers: args.domain.iter().map(|domain| domain.issuer().clone()).collect(),
            audience: args.audience.to_string(),
            algorithms: set(&args.algorithm, Algorithm::RS256),
            proof_algorithms: set(&args.proof_algorithm, Algorithm::ES256),
            scopes: args
                .scope
                .iter()
                .flat_map(|scopes| scopes.split_whitespace())
                .map(str::to_owned)
                .collect(),
            leeway: Duration::from_secs(args.leeway.into()),
            now: args.at.map_or_else(clock, Ok)?,
            notes,
            policy,
        })
    }

    pub(super) fn verifier(&self) -> Verifier {
        Verifier::new(self.policy.clone())
    }

    pub(super) fn request(&self) -> RequestFacts<'_> {
        let authorization = Field::Once(self.authorization.as_bytes());
        let dpop = self.proof.as_ref().map_or(Field::Absent, |proof| Field::Once(proof.as_bytes()));
        RequestFacts {
            method: &self.method,
            url: RequestUrl::Whole(&self.url),
            ..RequestFacts::with_credentials(authorization, dpop)
        }
    }
}

fn policy(args: &ExplainArgs) -> Result<Policy, Failure> {
    let mut domains = args.domain.iter().map(|domain| domain.issuer().clone());
    let issuers = match (domains.next(), domains.len()) {
        (Some(issuer), 0) => Issuers::single(issuer),
        (Some(first), _) => Issuers::any_of(first, domains),
        (None, _) => return Err(Failure::usage("no domain is given.")),
    };
    let audience =
        Audience::new(args.audience.as_str()).map_err(|error| Failure::usage(error.to_string()))?;
    // Only the API knows which proofs were used before.
    let mut dpop = DpopPolicy::new(args.dpop)
        .with_algorithms(set(&args.proof_algorithm, Algorithm::ES256))
        .with_window(PROOF_WINDOW.0, PROOF_WINDOW.1)
        .with_replay_protection(ReplayProtection::Off);
    if let Some(path) = &args.nonce_key {
        let key = input::file_bytes("nonce key", &path.display().to_string())?;
        let key: [u8; 32] =
            key.try_into().map_err(|_| Failure::usage("the nonce key must have 32 bytes."))?;
        dpop = dpop.with_nonces(Nonces::new(&key, NONCE_LIFETIME));
    }
    Ok(Policy::new(issuers, audience)
        .with_algorithms(set(&args.algorithm, Algorithm::RS256))
        .with_leeway(Duration::from_secs(args.leeway.into()))
        .with_statuses(StatusProfile::Compatible)
        .with_dpop(dpop))
}

fn set(algorithms: &[Algorithm], default: Algorithm) -> AlgorithmSet {
    let (first, others) = algorithms.split_first().unwrap_or((&default, &[]));
    AlgorithmSet::new(*first, others.iter().copied())
}

fn note_on(domain: &Domain) -> Option<String> {
    let host = domain.issuer().as_str().trim_start_matches("https://").trim_end_matches('/');
    domain.is_url().then(|| format!("the domain is given as a URL; its host is used: {host}"))
}

fn clock() -> Result<UnixTime, Failure> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    since_1970
        .and_then(|since| UnixTime::from_seconds(since.as_secs_f64()))
        .ok_or_else(|| Failure::undecided("this machine's clock is before 1970."))
}
