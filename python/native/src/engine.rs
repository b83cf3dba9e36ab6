//! The engine for Python: keyword arguments become a policy, and calls become questions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bearward_core::documents::{FixedKeys, Response};
use bearward_core::encoding::json::JsonObject;
use bearward_core::http::client_certificate::CertificateField;
use bearward_core::issuer::{IssuerUrl, Issuers, PrivateAddresses};
use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
use bearward_core::policy::{
    Audience, DecryptionKeys, DpopMode, DpopPolicy, Introspection, MutualTls, Nonces, Policy, Recipients,
    ReplayProtection, StatusProfile,
};
use bearward_core::{Presented, Question, Rejection, Scheme, ScopeClaim, ScopeRule, Verifier};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::claims::to_dict;
use crate::decision::{OwnedQuestion, begun};
use crate::documents::Documents;
use crate::exceptions::{self, ConfigurationError, guarded, instance};
use crate::introspection::IntrospectionNeeded;
use crate::passed::About;
use crate::request::{AskedRequest, Certificate, Wanted};
use crate::requirement::Requirement;
use crate::resource::{Guidance, ProtectedResource, ResourceDocument};
use crate::values::{configuration, unix_time};

/// A verifier with its policy. Safe to use from many threads.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Engine {
    verifier: Arc<Verifier>,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (
        *, issuers, single_issuer, audience=None, client_ids=None, exact_issuers=false, scope_claim=None, implies=None,
        allow_private_jwks=false, jwks_uri=None, jwks=None, algorithms=None, leeway=0.0, cache_ttl=600.0, rfc_status_codes=false,
        dpop="accepted", dpop_algorithms=None, dpop_iat_offset=300.0, dpop_iat_leeway=30.0,
        dpop_replay="in_process", dpop_nonce_keys=None, dpop_nonce_lifetime=300.0, issuers_kept=100, tokens_remembered=10_000,
        mtls=None, decryption_keys=None, introspection_seconds=None, introspection_endpoint=None,
        documents=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's keyword arguments, turned into a policy at once")]
    #[expect(clippy::fn_params_excessive_bools, reason = "Python names each argument")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn new(
        issuers: Option<Vec<String>>,
        single_issuer: bool,
        audience: Option<Names>,
        client_ids: Option<Vec<String>>,
        exact_issuers: bool,
        scope_claim: Option<Names>,
        implies: Option<BTreeMap<String, Vec<String>>>,
        allow_private_jwks: bool,
        jwks_uri: Option<&str>,
        jwks: Option<&str>,
        algorithms: Option<Vec<String>>,
        leeway: f64,
        cache_ttl: f64,
        rfc_status_codes: bool,
        dpop: &str,
        dpop_algorithms: Option<Vec<String>>,
        dpop_iat_offset: f64,
        dpop_iat_leeway: f64,
        dpop_replay: &str,
        dpop_nonce_keys: Option<Vec<Vec<u8>>>,
        dpop_nonce_lifetime: f64,
        issuers_kept: usize,
        tokens_remembered: usize,
        mtls: Option<&str>,
        decryption_keys: Option<Vec<(Option<String>, String)>>,
        introspection_seconds: Option<f64>,
        introspection_endpoint: Option<&str>,
        documents: Option<&Documents>,
    ) -> PyResult<Self> {
        let dpop = one_of("dpop", dpop, DPOP_MODES)?;
        let window =
            (seconds("dpop_iat_offset", dpop_iat_offset)?, seconds("dpop_iat_leeway", dpop_iat_leeway)?);
        let mut proofs = DpopPolicy::new(dpop)
            .with_window(window.0, window.1)
            .with_replay_protection(one_of("dpop_replay", dpop_replay, REPLAY_PROTECTIONS)?);
        if let Some(names) = dpop_algorithms {
            proofs = proofs.with_algorithms(parse_algorithms(&names, Algorithm::for_proofs())?);
        }
        if let Some(keys) = dpop_nonce_keys {
            proofs = proofs.with_nonces(nonces(&keys, seconds("dpop_nonce_lifetime", dpop_nonce_lifetime)?)?);
        }
        let issuers = parse_issuers(issuers.as_deref(), single_issuer, exact_issuers)?;
        let own_issuer = issuers.configured().next().cloned();
        let mut policy = Policy::new(issuers, recipients(audience, client_ids.as_deref())?)
            .with_scopes(scopes(scope_claim, implies, exact_issuers))
            .with_private_addresses(if allow_private_jwks {
                PrivateAddresses::Allowed
            } else {
                PrivateAddresses::Refused
            })
            .with_leeway(seconds("leeway", leeway)?)
            .with_document_ceiling(seconds("cache_ttl_seconds", cache_ttl)?)
            .with_statuses(if rfc_status_codes { StatusProfile::Rfc } else { StatusProfile::Compatible })
            .with_issuers_kept(issuers_kept)
            .with_tokens_remembered(tokens_remembered)
            .with_mutual_tls(mutual_tls(mtls)?)
            .with_dpop(proofs);
        if let Some(remembered) = introspection_seconds {
            let asked = introspection(own_issuer.as_ref(), introspection_endpoint)?;
            let remembered = seconds("remember_seconds", remembered)?;
            policy = policy.with_introspection(asked.remembered_for(remembered));
        }
        if let Some(keys) = decryption_keys {
            policy = policy.with_decryption_keys(opening(&keys)?);
        }
        if let Some(names) = algorithms {
            policy = policy.with_algorithms(parse_algorithms(&names, Algorithm::all())?);
        }
        if let Some(keys) = fixed_keys(own_issuer, jwks_uri, jwks, policy.algorithms())? {
            policy = policy.with_fixed_keys(keys);
        }
        let verifier = match documents {
            None => Verifier::new(policy),
            Some(documents) => Verifier::sharing(policy, Arc::clone(&documents.0)).map_err(|unprepared| {
                let message = format!("the shared documents were made without the algorithms {unprepared}");
                ConfigurationError::new_err(message)
            })?,
        };
        Ok(Self { verifier: Arc::new(verifier) })
    }

    #[getter]
    fn documents(&self) -> Documents {
        Documents(Arc::clone(self.verifier.documents()))
    }

    #[getter]
    fn replay_entries(&self) -> usize {
        self.verifier.replay_entries()
    }

    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn introspected(
        &self,
        py: Python<'_>,
        needed: &IntrospectionNeeded,
        status: u16,
        fields: Vec<(String, String)>,
        body: Vec<u8>,
        now: f64,
    ) -> PyResult<Option<String>> {
        guarded(py, || {
            let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let response = Response::new(status, fields, body);
            let told = self.verifier.introspected(&needed.0, response, unix_time(now)?);
            Ok(told.err().map(|error| error.to_string()))
        })
    }

    fn introspection_failed(&self, py: Python<'_>, needed: &IntrospectionNeeded, now: f64) -> PyResult<()> {
        guarded(py, || {
            self.verifier.introspection_failed(&needed.0, unix_time(now)?);
            Ok(())
        })
    }

    /// `None`: method and URL count, and are not given.
    #[pyo3(signature = (headers, method, url, now, guidance=None, certificate=None, behind_proxy=false, requirement=None))]
    #[expect(clippy::too_many_arguments, reason = "the facts of a request")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn verify_request<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyAny>,
        method: Option<&Bound<'py, PyString>>,
        url: Option<&Bound<'py, PyString>>,
        now: f64,
        guidance: Option<&Guidance>,
        certificate: Option<Certificate>,
        behind_proxy: bool,
        requirement: Option<&Bound<'py, Requirement>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let certificate = Certificate::shown(certificate.as_ref(), behind_proxy);
        let request = AskedRequest { headers, target: method.zip(url), certificate, guidance, requirement };
        guarded(py, || request.ask(py, &self.verifier, now, Wanted::Passed))
    }

    /// As `verify_request`, for a request of which only the header fields are known yet. `None`: more is needed to ask.
    #[pyo3(signature = (headers, now, guidance, requirement))]
    fn verify_fields<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyAny>,
        now: f64,
        guidance: Option<&Guidance>,
        requirement: Option<&Bound<'py, Requirement>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let certificate = Certificate::shown(None, false);
        let request = AskedRequest { headers, target: None, certificate, guidance, requirement };
        guarded(py, || request.ask(py, &self.verifier, now, Wanted::Passed))
    }

    /// The claims, if the request is let in and nothing else is due; or else as `verify_request`. Most requests need no more,
    /// and this makes no object for what is not needed.
    #[pyo3(signature = (headers, method, url, now, guidance=None))]
    fn claims_of_request<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyAny>,
        method: Option<&Bound<'py, PyString>>,
        url: Option<&Bound<'py, PyString>>,
        now: f64,
        guidance: Option<&Guidance>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let certificate = Certificate::shown(None, false);
        let request =
            AskedRequest { headers, target: method.zip(url), certificate, guidance, requirement: None };
        guarded(py, || request.ask(py, &self.verifier, now, Wanted::Claims))
    }

    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn verify_access_token<'py>(
        &self,
        py: Python<'py>,
        token: &str,
        required_claims: Vec<String>,
        now: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let required: Vec<&str> = required_claims.iter().map(String::as_str).collect();
            let question = Question::AccessToken { token, required_claims: &required };
            let mut decision = bearward_core::Decision::new();
            let next = self.verifier.next(&mut decision, question, unix_time(now)?);
            let about = About::token_alone(&self.verifier);
            begun(py, about, decision, next, now, || OwnedQuestion::AccessToken {
                token: token.to_owned(),
                required_claims: required_claims.clone(),
            })
        })
    }

    fn verify_dpop_proof<'py>(
        &self,
        py: Python<'py>,
        access_token: &str,
        proof: &str,
        method: &str,
        url: &str,
        now: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let verified = self.verifier.verify_proof(access_token, proof, (method, url), unix_time(now)?);
            let claims = verified.map_err(|refused| exceptions::refused(py, &refused))?;
            Ok(to_dict(py, claims.object())?.into_any())
        })
    }

    /// The error for claims that were verified before and don't meet the requirement; `None` if they do.
    #[pyo3(signature = (requirement, claims, authorization, now, guidance=None))]
    fn unmet<'py>(
        &self,
        py: Python<'py>,
        requirement: &Requirement,
        claims: &str,
        authorization: Option<&str>,
        now: f64,
        guidance: Option<&Guidance>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        guarded(py, || {
            let claims = parsed(claims)?;
            let presented = presented(authorization, guidance);
            let now = unix_time(now)?;
            let met = self.verifier.require_claims(claims.object(), &requirement.0, presented, now);
            Ok(met.err().map(|refused| instance(py, &refused)))
        })
    }

    /// The error for claims that a check outside of the engine refused. `claim`: the one that it looked at; `None`: they
    /// don't fit a type.
    #[pyo3(signature = (claim, authorization, guidance=None))]
    fn unfit<'py>(
        &self,
        py: Python<'py>,
        claim: Option<String>,
        authorization: Option<&str>,
        guidance: Option<&Guidance>,
    ) -> Bound<'py, PyAny> {
        let rejection =
            claim.map_or(Rejection::ClaimsUnusable, |claim| Rejection::ClaimNotAccepted { claim });
        instance(py, &self.verifier.refuse_requirement(rejection, presented(authorization, guidance)))
    }

    /// All scopes that verified claims grant, with those that others imply.
    fn granted_scopes(&self, claims: &str) -> PyResult<Vec<String>> {
        Ok(self.verifier.granted_scopes(parsed(claims)?.object()))
    }

    /// Which of the accepted audiences verified claims are for.
    fn audience_of(&self, claims: &str) -> PyResult<Option<String>> {
        Ok(self.verifier.audience_of(parsed(claims)?.object()).map(str::to_owned))
    }

    /// Begins to make the metadata document of a resource.
    fn resource_document(&self, resource: &ProtectedResource) -> PyResult<ResourceDocument> {
        ResourceDocument::begin(&self.verifier, resource)
    }
}

fn parsed(claims: &str) -> PyResult<JsonObject> {
    JsonObject::parse(claims.as_bytes().to_vec()).map_err(not_claims)
}

fn presented<'a>(authorization: Option<&str>, guidance: Option<&'a Guidance>) -> Presented<'a> {
    Presented { scheme: scheme_of(authorization), guidance: guidance.map(|guidance| &*guidance.0) }
}

fn scopes(
    claim: Option<Names>,
    implies: Option<BTreeMap<String, Vec<String>>>,
    exact_issuers: bool,
) -> ScopeRule {
    let claim = match claim {
        Some(Names::One(name)) => ScopeClaim::Named(name),
        Some(Names::Several(names)) => ScopeClaim::Merged(names),
        None if exact_issuers => ScopeClaim::ScopeOrScp,
        None => ScopeClaim::Scope,
    };
    ScopeRule::of(claim).implying(&implies.unwrap_or_default())
}

fn scheme_of(authorization: Option<&str>) -> Option<Scheme> {
    authorization.and_then(|value| Scheme::of(value.as_bytes()))
}

fn not_claims(error: bearward_core::encoding::ParseError) -> PyErr {
    PyValueError::new_err(format!("not claims: {error}"))
}

/// One text, or several.
#[derive(FromPyObject)]
enum Names {
    One(String),
    Several(Vec<String>),
}

fn recipients(audience: Option<Names>, client_ids: Option<&[String]>) -> PyResult<Recipients> {
    let names = match (audience, client_ids) {
        (Some(Names::One(name)), None) => vec![name],
        (Some(Names::Several(names)), None) => names,
        (None, Some([first, others @ ..])) => {
            let refused = |_| ConfigurationError::new_err("client_ids must be non-empty strings");
            return Recipients::clients(first, others.iter().cloned()).map_err(refused);
        }
        _ => return Err(ConfigurationError::new_err("either an audience or client_ids are required")),
    };
    let parsed: Result<Vec<Audience>, _> = names.iter().map(|name| Audience::new(name)).collect();
    let mut parsed = parsed.map_err(configuration)?.into_iter();
    let first = parsed.next().ok_or_else(|| ConfigurationError::new_err("audience must not be empty"))?;
    Ok(Recipients::any_of(first, parsed))
}

/// `endpoint`: `None` if the discovery document names it.
fn introspection(issuer: Option<&IssuerUrl>, endpoint: Option<&str>) -> PyResult<Introspection> {
    let issuer = issuer.ok_or_else(|| ConfigurationError::new_err("introspection needs an issuer"))?;
    let asked = Introspection::by(issuer.clone());
    match endpoint {
        None => Ok(asked),
        Some(url) => asked.at(url).map_err(|_| {
            ConfigurationError::new_err(
                "introspection: endpoint must be a plain https URL, and not of a link-local address",
            )
        }),
    }
}

fn opening(keys: &[(Option<String>, String)]) -> PyResult<DecryptionKeys> {
    let keys = keys.iter().map(|(kid, pem)| (kid.as_deref(), pem.as_str()));
    // The error shows no key.
    DecryptionKeys::from_pem(keys)
        .map_err(|error| ConfigurationError::new_err(format!("decryption_keys: {error}")))
}

/// `None`: off. `"connection"`, or the name of a header field.
fn mutual_tls(place: Option<&str>) -> PyResult<MutualTls> {
    match place {
        None => Ok(MutualTls::Off),
        Some("connection") => Ok(MutualTls::OfConnection),
        Some(name) => CertificateField::named(name).map(MutualTls::InField).ok_or_else(|| {
            ConfigurationError::new_err(format!("client_certificate_header: {name:?} is unknown"))
        }),
    }
}

fn fixed_keys(
    issuer: Option<IssuerUrl>,
    jwks_uri: Option<&str>,
    jwks: Option<&str>,
    algorithms: &AlgorithmSet,
) -> PyResult<Option<FixedKeys>> {
    let Some(issuer) = issuer else { return Ok(None) };
    let wrong = |name: &str, error: String| ConfigurationError::new_err(format!("{name}: {error}"));
    match (jwks_uri, jwks) {
        (Some(uri), _) => FixedKeys::at(issuer, uri).map(Some).map_err(|_| {
            wrong("jwks_uri", "it must be a plain https URL, and not of a link-local address".to_owned())
        }),
        (None, Some(keys)) => FixedKeys::set(issuer, keys.as_bytes().to_vec(), algorithms)
            .map(Some)
            .map_err(|error| wrong("jwks", error.to_string())),
        (None, None) => Ok(None),
    }
}

/// `None`: a resolver decides for each request. `exact`: as their tokens spell them.
fn parse_issuers(names: Option<&[String]>, single: bool, exact: bool) -> PyResult<Issuers> {
    let Some(names) = names else { return Ok(Issuers::resolved()) };
    let parsed: Result<Vec<IssuerUrl>, _> = names
        .iter()
        .map(|name| if exact { IssuerUrl::exact(name) } else { IssuerUrl::parse(name) })
        .collect();
    let mut parsed = parsed.map_err(configuration)?.into_iter();
    match (parsed.next(), single) {
        (None, _) => Err(ConfigurationError::new_err("at least one issuer is required")),
        (Some(issuer), true) if parsed.len() == 0 => Ok(Issuers::single(issuer)),
        (Some(issuer), _) => Ok(Issuers::any_of(issuer, parsed)),
    }
}

const DPOP_MODES: &[(&str, DpopMode)] =
    &[("off", DpopMode::Off), ("accepted", DpopMode::Accepted), ("required", DpopMode::Required)];

const REPLAY_PROTECTIONS: &[(&str, ReplayProtection)] = &[
    ("in_process", ReplayProtection::InProcess),
    ("shared", ReplayProtection::Shared),
    ("off", ReplayProtection::Off),
];

fn one_of<T: Copy>(argument: &str, name: &str, known: &[(&str, T)]) -> PyResult<T> {
    let unknown = || ConfigurationError::new_err(format!("{argument}: {name:?} is unknown"));
    known.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(unknown)
}

fn parse_algorithms(names: &[String], known: impl Iterator<Item = Algorithm>) -> PyResult<AlgorithmSet> {
    let known: Vec<Algorithm> = known.collect();
    let parse = |name: &String| {
        let unknown = || ConfigurationError::new_err(format!("algorithm {name:?} is not supported"));
        Algorithm::from_name(name).filter(|algorithm| known.contains(algorithm)).ok_or_else(unknown)
    };
    let parsed: PyResult<Vec<Algorithm>> = names.iter().map(parse).collect();
    let mut parsed = parsed?.into_iter();
    let first =
        parsed.next().ok_or_else(|| ConfigurationError::new_err("at least one algorithm is required"))?;
    Ok(AlgorithmSet::new(first, parsed))
}

/// The first key makes nonces; those of all keys are taken.
fn nonces(keys: &[Vec<u8>], lifetime: Duration) -> PyResult<Nonces> {
    let (first, others) = keys
        .split_first()
        .ok_or_else(|| ConfigurationError::new_err("dpop_nonce_key must have at least one key"))?;
    others.iter().try_fold(Nonces::new(&nonce_key(first)?, lifetime), |nonces, key| {
        Ok(nonces.also_taking(&nonce_key(key)?))
    })
}

fn nonce_key(key: &[u8]) -> PyResult<[u8; 32]> {
    key.try_into().map_err(|_| ConfigurationError::new_err("dpop_nonce_key must have 32 bytes"))
}

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| ConfigurationError::new_err(format!("{name} must be a non-negative number of seconds")))
}
