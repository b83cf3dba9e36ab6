//! A verifier with the documents it may ask for: the driver's loop, without a network.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bearward_core::documents::{DocumentNeeded, FixedKeys, Response};
use bearward_core::http::client_certificate::CertificateField;
use bearward_core::issuer::{IssuerUrl, Issuers, PrivateAddresses};
use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
use bearward_core::policy::{
    Audience, DecryptionKeys, DpopMode, DpopPolicy, Introspection, MutualTls, Nonces, Policy, Recipients,
    ReplayProtection, StatusProfile,
};
use bearward_core::{
    Cause, Decision, Explanation, Guidance, HeaderFields, IntrospectionNeeded, Next, Question, Refused,
    RequestFacts, RequestUrl, ScopeClaim, ScopeRule, UnixTime, Verified, Verifier,
};
use serde_json::Value;

use crate::third_party::hex;

pub(crate) struct Engine {
    pub(crate) verifier: Verifier,
    versions: HashMap<String, Vec<Option<Vec<u8>>>>,
    /// The URLs that answer with another status than 200.
    statuses: HashMap<String, u16>,
    /// The URLs asked for since the last look, in order.
    pub(crate) fetched: Vec<String>,
}

/// What a decision led to.
pub(crate) type Outcome = Result<Verified, Box<Refused>>;

/// `verified`, `unavailable`, or the code of the rejection.
pub(crate) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(_) => "verified",
        Err(refused) => match &refused.cause {
            Cause::Rejected(rejection) => rejection.code(),
            Cause::Unavailable(_) => "unavailable",
            Cause::Resolver(failure) => panic!("no vector has a resolver: {failure}"),
        },
    }
}

impl Engine {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            verifier: Verifier::new(policy),
            versions: HashMap::new(),
            statuses: HashMap::new(),
            fetched: Vec::new(),
        }
    }

    /// Each fetch of `url` gives the next of `versions`, the last one for ever; `None` is a fetch that fails.
    pub(crate) fn serve(&mut self, url: &str, versions: Vec<Option<Vec<u8>>>) {
        self.versions.insert(url.to_owned(), versions);
    }

    /// Each fetch of `url` is answered with this status, and without a document.
    pub(crate) fn refuse(&mut self, url: &str, status: u16) {
        self.statuses.insert(url.to_owned(), status);
    }

    pub(crate) fn guided(&mut self, facts: &RequestFacts<'_>, guidance: Guidance, now: UnixTime) -> Outcome {
        self.decide(&mut Decision::guiding(Arc::new(guidance)), Question::Request(facts), now)
    }

    pub(crate) fn request(&mut self, facts: &RequestFacts<'_>, now: UnixTime) -> Outcome {
        self.decide(&mut Decision::new(), Question::Request(facts), now)
    }

    pub(crate) fn bearer(&mut self, token: &str, now: UnixTime) -> Outcome {
        let field = format!("Bearer {token}");
        self.request(&facts(&[("Authorization", field.as_bytes())], "GET", ""), now)
    }

    pub(crate) fn access_token(&mut self, token: &str, required_claims: &[&str], now: UnixTime) -> Outcome {
        self.decide(&mut Decision::new(), Question::AccessToken { token, required_claims }, now)
    }

    fn decide(&mut self, decision: &mut Decision, question: Question<'_>, now: UnixTime) -> Outcome {
        loop {
            match self.verifier.next(decision, question, now) {
                Next::Done(outcome) => return outcome,
                Next::Fetch(needed) => self.bring(&needed, now),
                Next::Introspect(needed) => self.introspect(&needed, now),
                other @ (Next::ResolveIssuers(_) | Next::CheckReplay { .. }) => {
                    panic!("no vector asks for it: {other:?}")
                }
            }
        }
    }

    /// As [`request`](Self::request), with the findings.
    pub(crate) fn explain(
        &mut self,
        facts: &RequestFacts<'_>,
        scopes: &[&str],
        now: UnixTime,
    ) -> Explanation {
        let mut decision = Decision::new();
        let outcome = self.decide(&mut decision, Question::Request(facts), now);
        self.verifier.explain(facts, &decision, outcome, scopes, now)
    }

    fn bring(&mut self, needed: &DocumentNeeded, now: UnixTime) {
        let status = self.statuses.get(needed.url()).copied();
        let body = self.fetch(needed.url()).or(status.map(|_| Vec::new()));
        match body {
            Some(body) if status.is_some() => {
                let response = Response::new(status.unwrap_or_default(), [], body);
                assert!(self.verifier.documents().answered(needed, response, now).is_err());
            }
            Some(body) => drop(self.verifier.documents().answered(needed, Response::document(body), now)),
            None => self.verifier.documents().unreachable(needed, now),
        }
    }

    fn introspect(&mut self, needed: &IntrospectionNeeded, now: UnixTime) {
        let status = self.statuses.get(needed.url()).copied();
        match self.fetch(needed.url()).or(status.map(|_| Vec::new())) {
            None => self.verifier.introspection_failed(needed, now),
            Some(body) => {
                let response = Response::new(status.unwrap_or(200), [], body);
                let _told_by_the_next_decision = self.verifier.introspected(needed, response, now);
            }
        }
    }

    fn fetch(&mut self, url: &str) -> Option<Vec<u8>> {
        self.fetched.push(url.to_owned());
        let versions = self.versions.get_mut(url)?;
        if versions.len() > 1 { versions.remove(0) } else { versions.first()?.clone() }
    }
}

/// The facts of a request with these fields.
pub(crate) fn facts<'a>(headers: &[(&str, &'a [u8])], method: &'a str, url: &'a str) -> RequestFacts<'a> {
    let headers = HeaderFields::of(headers.iter().copied());
    RequestFacts { headers, method, url: RequestUrl::Whole(url), ..RequestFacts::default() }
}

/// The policy of a vector.
pub(crate) fn policy(value: &Value) -> Policy {
    let exact = value.get("exact_issuers").is_some_and(flag);
    let read = |text| if exact { IssuerUrl::exact(text) } else { IssuerUrl::parse(text) };
    let mut issuers = texts(&value["issuers"]).into_iter().map(|issuer| read(issuer).unwrap());
    let first = issuers.next().unwrap();
    let issuers =
        if flag(&value["single_issuer"]) { Issuers::single(first) } else { Issuers::any_of(first, issuers) };
    let statuses =
        if flag(&value["rfc_status_codes"]) { StatusProfile::Rfc } else { StatusProfile::Compatible };
    let algorithms = algorithms(&texts(&value["algorithms"]));
    let own = issuers.configured().next().cloned().unwrap();
    let fixed = match (value.get("jwks_uri"), value.get("jwks")) {
        (Some(uri), _) => Some(FixedKeys::at(own, text(uri)).unwrap()),
        (None, Some(keys)) => Some(FixedKeys::set(own, text(keys).into(), &algorithms).unwrap()),
        (None, None) => None,
    };
    let private = value.get("allow_private_jwks").is_some_and(flag);
    let policy = Policy::new(issuers, recipients(value))
        .with_scopes(scopes(value, exact))
        .with_private_addresses(if private { PrivateAddresses::Allowed } else { PrivateAddresses::Refused });
    let policy = fixed.into_iter().fold(policy, Policy::with_fixed_keys);
    let policy =
        introspection(value, &policy_issuer(value)).into_iter().fold(policy, Policy::with_introspection);
    let policy = decryption_keys(value).into_iter().fold(policy, Policy::with_decryption_keys);
    policy
        .with_mutual_tls(value.get("mtls").map_or(MutualTls::Off, |place| match text(place) {
            "connection" => MutualTls::OfConnection,
            name => MutualTls::InField(CertificateField::named(name).unwrap()),
        }))
        .with_algorithms(algorithms)
        .with_leeway(seconds(&value["leeway"]))
        .with_statuses(statuses)
        .with_dpop(dpop_policy(value))
}

fn policy_issuer(value: &Value) -> IssuerUrl {
    let exact = value.get("exact_issuers").is_some_and(flag);
    let name = text(&value["issuers"][0]);
    if exact { IssuerUrl::exact(name).unwrap() } else { IssuerUrl::parse(name).unwrap() }
}

fn introspection(value: &Value, issuer: &IssuerUrl) -> Option<Introspection> {
    let introspection = value.get("introspection")?;
    let remembered = seconds(&introspection["remember"]);
    let asked = Introspection::by(issuer.clone()).remembered_for(remembered);
    Some(match introspection.get("endpoint") {
        Some(url) => asked.at(text(url)).unwrap(),
        None => asked,
    })
}

fn scopes(policy: &Value, exact: bool) -> ScopeRule {
    let claim = match policy.get("scope_claim") {
        Some(Value::Array(names)) => {
            ScopeClaim::Merged(names.iter().map(|name| text(name).to_owned()).collect())
        }
        Some(name) => ScopeClaim::Named(text(name).to_owned()),
        None if exact => ScopeClaim::ScopeOrScp,
        None => ScopeClaim::Scope,
    };
    let implies: BTreeMap<String, Vec<String>> = policy
        .get("implies")
        .map(|implies| serde_json::from_value(implies.clone()).unwrap())
        .unwrap_or_default();
    ScopeRule::of(claim).implying(&implies)
}

fn decryption_keys(value: &Value) -> Option<DecryptionKeys> {
    let pairs = value.get("decryption_keys")?.as_array()?;
    Some(DecryptionKeys::from_pem(pairs.iter().map(|pair| (pair[0].as_str(), text(&pair[1])))).unwrap())
}

fn recipients(value: &Value) -> Recipients {
    let Some(audience) = value.get("audience") else {
        let mut clients = texts(&value["client_ids"]).into_iter();
        return Recipients::clients(clients.next().unwrap(), clients.map(str::to_owned)).unwrap();
    };
    let names = audience.as_str().map_or_else(|| texts(audience), |name| vec![name]);
    let mut audiences = names.into_iter().map(|name| Audience::new(name).unwrap());
    Recipients::any_of(audiences.next().unwrap(), audiences)
}

fn dpop_policy(value: &Value) -> DpopPolicy {
    let mode = match text(&value["dpop"]) {
        "off" => return DpopPolicy::new(DpopMode::Off),
        "accepted" => DpopMode::Accepted,
        "required" => DpopMode::Required,
        other => panic!("{other} is no mode of DPoP"),
    };
    let replay = match text(&value["dpop_replay"]) {
        "in_process" => ReplayProtection::InProcess,
        "off" => ReplayProtection::Off,
        other => panic!("{other} is no replay protection of a vector"),
    };
    let policy = DpopPolicy::new(mode)
        .with_algorithms(algorithms(&texts(&value["dpop_algorithms"])))
        .with_window(seconds(&value["dpop_iat_offset"]), seconds(&value["dpop_iat_leeway"]))
        .with_replay_protection(replay);
    let Some(key) = value.get("dpop_nonce_key") else { return policy };
    let key = hex(text(key)).try_into().unwrap();
    policy.with_nonces(Nonces::new(&key, seconds(&value["dpop_nonce_lifetime"])))
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().unwrap())
}

pub(crate) fn algorithms(names: &[&str]) -> AlgorithmSet {
    let mut algorithms = names.iter().map(|name| Algorithm::from_name(name).unwrap());
    AlgorithmSet::new(algorithms.next().unwrap(), algorithms)
}

pub(crate) fn time(value: &Value) -> UnixTime {
    UnixTime::from_seconds(value.as_f64().unwrap()).unwrap()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a string is expected, not {value}"))
}

pub(crate) fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(text).collect()
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap()
}
