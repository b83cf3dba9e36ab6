//! The request to check, and the settings of the API: the checked arguments.

use std::{fmt, time::Duration};

use bearward_core::{
    Field, RequestFacts, RequestUrl, Scheme, ScopeClaim, UnixTime, Verifier,
    documents::FixedKeys,
    issuer::Issuers,
    jose::algorithm::{Algorithm, AlgorithmSet},
    policy::{DpopPolicy, Nonces, Policy, ReplayProtection, StatusProfile},
};

use super::pasted::{PROOF, Pasted, TOKEN, name, text_of};
use crate::{
    commands::{
        args::{self, ExplainArgs},
        recipients::AcceptedRecipients,
    },
    settings::ENV_FILE,
    tenant::{
        configured::{self, ConfiguredIssuer, NamedIssuers},
        documents,
    },
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
    pub(super) issuers: Vec<ConfiguredIssuer>,
    pub(super) recipients: AcceptedRecipients,
    pub(super) scope_claim: ScopeClaim,
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
        let mut notes = token.notes;
        notes.extend(proof.iter().flat_map(|proof| proof.notes.clone()));
        let issuers = configured::required(NamedIssuers::find(&args.domain, &args.issuer)?)?.all()?;
        notes.extend(issuers.iter().filter_map(note_on));
        let recipients = recipients(&args, &issuers, &mut notes)?;
        let scope_claim = scope_claim(args.scope_claim.as_deref(), &issuers);
        let policy = policy(&args, &issuers, &recipients)?.with_scopes(scope_claim.clone());
        let as_proof_says = if proof.is_some() { Scheme::Dpop } else { Scheme::Bearer };
        let scheme = args.scheme.or(token.scheme).unwrap_or(as_proof_says);
        Ok(Self {
            authorization: format!("{} {}", name(scheme), token.text),
            token: token.text,
            scheme,
            proof: proof.map(|proof| proof.text),
            method: args.method,
            url: args.url.unwrap_or_default(),
            issuers,
            recipients,
            scope_claim,
            algorithms: set(&args.algorithm, Algorithm::RS256),
            proof_algorithms: set(&args.proof_algorithm, Algorithm::ES256),
            scopes: args
                .scope
                .iter()
                .flat_map(|scopes| scopes.split_whitespace())
                .map(str::to_owned)
                .collect(),
            leeway: Duration::from_secs(args.leeway.into()),
            now: args.at.map_or_else(documents::now, Ok)?,
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

fn recipients(
    args: &ExplainArgs,
    issuers: &[ConfiguredIssuer],
    notes: &mut Vec<String>,
) -> Result<AcceptedRecipients, Failure> {
    if !args.client_ids.is_empty() {
        return Ok(AcceptedRecipients::Clients(args.client_ids.clone()));
    }
    // There is one: `required` says so.
    let first = issuers.first().ok_or_else(|| Failure::usage("no issuer is given."))?;
    let Some(audience) = args::audience(args.audience.as_deref(), first)? else {
        return Err(without_audience(first));
    };
    if audience.had_space() {
        notes.push("white space around the audience is ignored.".to_owned());
    }
    Ok(AcceptedRecipients::Audience(audience.to_string()))
}

fn without_audience(issuer: &ConfiguredIssuer) -> Failure {
    let variable = issuer.setting().audience_variable();
    let failure = Failure::usage("no API is given: --audience is required, or --client-ids.");
    let also =
        "for an issuer whose tokens have no `aud`, --client-ids lists the clients that the API accepts";
    failure.with_hint(format!("{variable} can be set in the environment or in {ENV_FILE}; {also}."))
}

/// With an issuer, an API also reads `scp`.
fn scope_claim(name: Option<&str>, issuers: &[ConfiguredIssuer]) -> ScopeClaim {
    match name {
        Some(name) => ScopeClaim::Named(name.to_owned()),
        None if issuers.iter().any(|issuer| issuer.url().is_exact()) => ScopeClaim::ScopeOrScp,
        None => ScopeClaim::Scope,
    }
}

fn policy(
    args: &ExplainArgs,
    issuers: &[ConfiguredIssuer],
    recipients: &AcceptedRecipients,
) -> Result<Policy, Failure> {
    let mut urls = issuers.iter().map(|issuer| issuer.url().clone());
    let accepted = match (urls.next(), urls.len()) {
        (Some(issuer), 0) => Issuers::single(issuer),
        (Some(first), _) => Issuers::any_of(first, urls),
        (None, _) => return Err(Failure::usage("no issuer is given.")),
    };
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
    let mut policy =
        Policy::new(accepted, recipients.for_policy()?).with_private_addresses(args.private_jwks.addresses());
    if let Some(jwks_uri) = &args.jwks_uri {
        policy = policy.with_fixed_keys(fixed_keys(issuers, jwks_uri)?);
    }
    Ok(policy
        .with_algorithms(set(&args.algorithm, Algorithm::RS256))
        .with_leeway(Duration::from_secs(args.leeway.into()))
        .with_statuses(StatusProfile::Compatible)
        .with_dpop(dpop))
}

fn fixed_keys(issuers: &[ConfiguredIssuer], jwks_uri: &str) -> Result<FixedKeys, Failure> {
    let [issuer] = issuers else {
        return Err(Failure::usage("--jwks-uri has the keys of one issuer: give one issuer."));
    };
    FixedKeys::at(issuer.url().clone(), jwks_uri).map_err(|_| {
        Failure::usage(
            "--jwks-uri must be an https URL without user name and fragment, not a link-local address.",
        )
    })
}

fn set(algorithms: &[Algorithm], default: Algorithm) -> AlgorithmSet {
    let (first, others) = algorithms.split_first().unwrap_or((&default, &[]));
    AlgorithmSet::new(*first, others.iter().copied())
}

fn note_on(issuer: &ConfiguredIssuer) -> Option<String> {
    let ConfiguredIssuer::Domain(domain) = issuer else { return None };
    domain.is_url().then(|| format!("the domain is given as a URL; its host is used: {domain}"))
}
