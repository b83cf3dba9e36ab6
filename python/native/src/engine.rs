//! The classes Python works with.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bearward_core::documents::{self, DocumentKind};
use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
use bearward_core::policy::{
    Audience, DpopMode, DpopPolicy, Nonces, Policy, ReplayProtection, StatusProfile,
};
use bearward_core::{
    Outcome, PendingReplayCheck, Refusal, Rejection, Scheme, Sighting, Unavailable, UnixTime, Verifier,
};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::claims::to_dict;
use crate::errors::{self, ConfigurationError, guarded};
use crate::headers::HeaderFields;
use crate::status;

/// Policy, keys and verification. Safe from many threads.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Engine {
    verifier: Verifier,
    dpop: DpopMode,
}

/// A good request of which one thing is left to find out: whether its proof was used before.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct ReplayCheckNeeded {
    key: [u8; 32],
    remember_for: Duration,
    /// Taken by the one call that settles it.
    pending: Mutex<Option<PendingReplayCheck>>,
}

#[pymethods]
impl ReplayCheckNeeded {
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.key)
    }

    #[getter]
    fn ttl_seconds(&self) -> f64 {
        self.remember_for.as_secs_f64()
    }
}

/// A document of the issuer that has to be fetched before a request can be decided.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct DocumentNeeded(documents::DocumentNeeded);

/// The issuers allowed for a request, as a resolver named them.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct IssuerSet(HashSet<IssuerUrl>);

#[pymethods]
impl IssuerSet {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn new(domains: Vec<String>) -> PyResult<Self> {
        let parsed: Result<HashSet<IssuerUrl>, _> =
            domains.iter().map(|domain| IssuerUrl::parse(domain)).collect();
        parsed.map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

/// Which issuers are allowed has to be said before the request can be decided.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct IssuersNeeded(IssuerUrl);

#[pymethods]
impl IssuersNeeded {
    #[getter]
    fn unverified_iss(&self) -> &str {
        self.0.as_str()
    }
}

/// A good request, and a document that is worth fetching in the background.
#[pyclass(frozen, get_all, module = "bearward._native")]
pub(crate) struct RefreshDue {
    claims: Py<PyDict>,
    document: Py<DocumentNeeded>,
}

/// Where an issuer gives tokens.
#[pyclass(frozen, get_all, module = "bearward._native")]
pub(crate) struct TokenEndpoint {
    url: Option<String>,
    refresh_due: Option<Py<DocumentNeeded>>,
}

#[pymethods]
impl DocumentNeeded {
    #[getter]
    fn issuer(&self) -> &str {
        self.0.issuer().as_str()
    }

    #[getter]
    fn past_caches(&self) -> bool {
        self.0.is_past_caches()
    }

    #[getter]
    fn url(&self) -> &str {
        self.0.url()
    }

    #[getter]
    fn kind(&self) -> &'static str {
        match self.0.kind() {
            DocumentKind::Discovery => "discovery",
            DocumentKind::KeySet | _ => "key_set",
        }
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (
        *, audience, issuers, single_issuer, algorithms=None, leeway=0.0, cache_ttl=600.0, rfc_status_codes=false,
        dpop="accepted", dpop_algorithms=None, dpop_iat_offset=300.0, dpop_iat_leeway=30.0,
        dpop_replay="in_process", dpop_nonce_key=None, dpop_nonce_lifetime=300.0, issuers_kept=100,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's keyword arguments, turned into a policy at once")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn new(
        audience: &str,
        issuers: Option<Vec<String>>,
        single_issuer: bool,
        algorithms: Option<Vec<String>>,
        leeway: f64,
        cache_ttl: f64,
        rfc_status_codes: bool,
        dpop: &str,
        dpop_algorithms: Option<Vec<String>>,
        dpop_iat_offset: f64,
        dpop_iat_leeway: f64,
        dpop_replay: &str,
        dpop_nonce_key: Option<Vec<u8>>,
        dpop_nonce_lifetime: f64,
        issuers_kept: usize,
    ) -> PyResult<Self> {
        let dpop = one_of("dpop", dpop, DPOP_MODES)?;
        let window =
            (seconds("dpop_iat_offset", dpop_iat_offset)?, seconds("dpop_iat_leeway", dpop_iat_leeway)?);
        let mut proofs = DpopPolicy::new(dpop)
            .with_window(window.0, window.1)
            .with_replay_protection(one_of("dpop_replay", dpop_replay, REPLAY_PROTECTIONS)?);
        if let Some(names) = dpop_algorithms {
            proofs = proofs.with_algorithms(parse_algorithms(&names, PROOF_ALGORITHMS)?);
        }
        if let Some(key) = dpop_nonce_key {
            let lifetime = seconds("dpop_nonce_lifetime", dpop_nonce_lifetime)?;
            proofs = proofs.with_nonces(Nonces::new(&nonce_key(&key)?, lifetime));
        }
        let audience = Audience::new(audience).map_err(configuration)?;
        let mut policy = Policy::new(parse_issuers(issuers.as_deref(), single_issuer)?, audience)
            .with_leeway(seconds("leeway", leeway)?)
            .with_document_ceiling(seconds("cache_ttl_seconds", cache_ttl)?)
            .with_statuses(if rfc_status_codes { StatusProfile::Rfc } else { StatusProfile::Compatible })
            .with_issuers_kept(issuers_kept)
            .with_dpop(proofs);
        if let Some(names) = algorithms {
            let all: Vec<Algorithm> = Algorithm::all().collect();
            policy = policy.with_algorithms(parse_algorithms(&names, &all)?);
        }
        Ok(Self { verifier: Verifier::new(policy), dpop })
    }

    #[pyo3(signature = (headers, method, url, now, issuers=None))]
    fn verify_request<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyAny>,
        method: Option<&str>,
        url: Option<&str>,
        now: f64,
        issuers: Option<&IssuerSet>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let fields = HeaderFields::collect(headers)?;
            if (method.is_none() || url.is_none()) && self.dpop != DpopMode::Off && fields.in_dpop_scheme() {
                return Err(errors::missing_target(py, method.is_none(), url.is_none()));
            }
            let mut facts = fields.facts(method.unwrap_or_default(), url.unwrap_or_default());
            facts.issuers = issuers.map(|set| &set.0);
            self.give(py, self.verifier.verify(&facts, unix_time(now)?))
        })
    }

    fn settle<'py>(
        &self,
        py: Python<'py>,
        needed: &ReplayCheckNeeded,
        first: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let pending = needed.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
            let pending =
                pending.ok_or_else(|| PyRuntimeError::new_err("the replay check was settled before"))?;
            let sighting = if first { Sighting::First } else { Sighting::Again };
            self.give(py, self.verifier.settle(pending, sighting))
        })
    }

    #[staticmethod]
    fn replay_store_unavailable(py: Python<'_>) -> Bound<'_, PyAny> {
        errors::unavailable(py, &Unavailable::ReplayStore).into_value(py).into_bound(py).into_any()
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
            let claims = verified.map_err(|refusal| errors::refused(py, &self.verifier, &refusal))?;
            Ok(to_dict(py, claims.object())?.into_any())
        })
    }

    fn fresh_nonce(&self, py: Python<'_>, headers: &Bound<'_, PyAny>, now: f64) -> PyResult<Option<String>> {
        guarded(py, || {
            let fields = HeaderFields::collect(headers)?;
            Ok(self.verifier.fresh_nonce(&fields.facts("", ""), unix_time(now)?))
        })
    }

    #[pyo3(signature = (token, required_claims, now, issuers=None))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn verify_access_token<'py>(
        &self,
        py: Python<'py>,
        token: &str,
        required_claims: Vec<String>,
        now: f64,
        issuers: Option<&IssuerSet>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let required: Vec<&str> = required_claims.iter().map(String::as_str).collect();
            self.give(
                py,
                self.verifier.verify_access_token(
                    token,
                    &required,
                    issuers.map(|set| &set.0),
                    unix_time(now)?,
                ),
            )
        })
    }

    fn document_received(
        &self,
        py: Python<'_>,
        needed: &DocumentNeeded,
        body: Vec<u8>,
        cache_control: Option<&str>,
        now: f64,
    ) -> PyResult<Option<String>> {
        guarded(py, || {
            let received = self.verifier.document_received(&needed.0, body, cache_control, unix_time(now)?);
            Ok(received.err().map(|error| error.to_string()))
        })
    }

    fn document_from_cache(
        &self,
        py: Python<'_>,
        needed: &DocumentNeeded,
        body: Vec<u8>,
        now: f64,
    ) -> PyResult<Option<String>> {
        guarded(py, || {
            let received = self.verifier.document_from_cache(&needed.0, body, unix_time(now)?);
            Ok(received.err().map(|error| error.to_string()))
        })
    }

    #[pyo3(signature = (needed, now, retry_after=None))]
    fn document_failed(
        &self,
        py: Python<'_>,
        needed: &DocumentNeeded,
        now: f64,
        retry_after: Option<f64>,
    ) -> PyResult<()> {
        guarded(py, || {
            // A time that is none is as good as nothing said.
            let retry_after = retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            self.verifier.document_failed(&needed.0, retry_after, unix_time(now)?);
            Ok(())
        })
    }

    fn token_endpoint<'py>(&self, py: Python<'py>, issuer: &str, now: f64) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let issuer = IssuerUrl::parse(issuer).map_err(configuration)?;
            match self.verifier.token_endpoint(&issuer, unix_time(now)?) {
                bearward_core::TokenEndpoint::Known { url, refresh_due } => {
                    let refresh_due = refresh_due.map(|due| Py::new(py, DocumentNeeded(due))).transpose()?;
                    Ok(Bound::new(py, TokenEndpoint { url, refresh_due })?.into_any())
                }
                bearward_core::TokenEndpoint::DocumentNeeded(needed) => {
                    Ok(Bound::new(py, DocumentNeeded(needed))?.into_any())
                }
                bearward_core::TokenEndpoint::Unavailable(unavailable) => {
                    Err(errors::unavailable(py, &unavailable))
                }
            }
        })
    }

    fn fresh_for(&self, cache_control: Option<&str>) -> f64 {
        self.verifier.fresh_for(cache_control).as_secs_f64()
    }

    fn status<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Bound<'py, PyList>> {
        let issuers = self.verifier.status(unix_time(now)?);
        let dicts: PyResult<Vec<_>> = issuers.iter().map(|issuer| status::to_dict(py, issuer)).collect();
        PyList::new(py, dicts?)
    }

    fn insufficient_scope<'py>(
        &self,
        py: Python<'py>,
        required: Vec<String>,
        authorization: Option<&str>,
    ) -> Bound<'py, PyAny> {
        let scheme = authorization.and_then(|value| Scheme::of(value.as_bytes()));
        let refusal = Refusal::new(Rejection::InsufficientScope { required }, scheme);
        errors::refused(py, &self.verifier, &refusal).into_value(py).into_bound(py).into_any()
    }
}

impl Engine {
    fn give<'py>(&self, py: Python<'py>, outcome: Outcome) -> PyResult<Bound<'py, PyAny>> {
        match outcome {
            Outcome::Verified(token) => {
                let claims = to_dict(py, token.claims())?;
                let Some(due) = token.refresh_due() else { return Ok(claims.into_any()) };
                let document = Py::new(py, DocumentNeeded(due.clone()))?;
                Ok(Bound::new(py, RefreshDue { claims: claims.unbind(), document })?.into_any())
            }
            Outcome::IssuersNeeded(unverified) => Ok(Bound::new(py, IssuersNeeded(unverified))?.into_any()),
            Outcome::DocumentNeeded(needed) => Ok(Bound::new(py, DocumentNeeded(needed))?.into_any()),
            Outcome::ReplayCheckNeeded(pending) => {
                let needed = ReplayCheckNeeded {
                    key: *pending.key().as_bytes(),
                    remember_for: pending.remember_for(),
                    pending: Mutex::new(Some(pending)),
                };
                Ok(Bound::new(py, needed)?.into_any())
            }
            Outcome::Rejected(refusal) => Err(errors::refused(py, &self.verifier, &refusal)),
            Outcome::Unavailable(unavailable) => Err(errors::unavailable(py, &unavailable)),
            _ => Err(errors::internal(py)),
        }
    }
}

/// No names: a resolver says for each request.
fn parse_issuers(names: Option<&[String]>, single: bool) -> PyResult<Issuers> {
    let Some(names) = names else { return Ok(Issuers::resolved()) };
    let parsed: Result<Vec<IssuerUrl>, _> = names.iter().map(|name| IssuerUrl::parse(name)).collect();
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

/// RFC 9449 §4.2 leaves the choice; these are what clients use.
const PROOF_ALGORITHMS: &[Algorithm] =
    &[Algorithm::ES256, Algorithm::ES384, Algorithm::RS256, Algorithm::PS256, Algorithm::EdDSA];

fn parse_algorithms(names: &[String], known: &[Algorithm]) -> PyResult<AlgorithmSet> {
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

fn nonce_key(key: &[u8]) -> PyResult<[u8; 32]> {
    key.try_into().map_err(|_| ConfigurationError::new_err("dpop_nonce_key must have 32 bytes"))
}

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| ConfigurationError::new_err(format!("{name} must be a non-negative number of seconds")))
}

pub(crate) fn unix_time(now: f64) -> PyResult<UnixTime> {
    UnixTime::from_seconds(now).ok_or_else(|| PyValueError::new_err("now is not a Unix time in seconds"))
}

fn configuration<E: std::error::Error>(error: E) -> PyErr {
    ConfigurationError::new_err(error.to_string())
}
