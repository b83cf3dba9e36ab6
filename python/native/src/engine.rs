//! The two classes Python works with.

use std::time::Duration;

use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
use bearward_core::keys::{self, DocumentKind};
use bearward_core::policy::{Audience, Policy, StatusProfile};
use bearward_core::{Outcome, Refusal, Rejection, Scheme, UnixTime, Verifier};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::claims::to_dict;
use crate::errors::{self, ConfigurationError, guarded};
use crate::headers::HeaderFields;

/// Policy, keys and verification. Safe from many threads.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Engine {
    verifier: Verifier,
}

/// A document of the issuer that has to be fetched before a request can be decided.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct DocumentNeeded(keys::DocumentNeeded);

#[pymethods]
impl DocumentNeeded {
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
    #[pyo3(signature = (*, audience, issuers, single_issuer, algorithms=None, leeway=0.0, cache_ttl=600.0, rfc_status_codes=false))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn new(
        audience: &str,
        issuers: Vec<String>,
        single_issuer: bool,
        algorithms: Option<Vec<String>>,
        leeway: f64,
        cache_ttl: f64,
        rfc_status_codes: bool,
    ) -> PyResult<Self> {
        let audience = Audience::new(audience).map_err(configuration)?;
        let mut policy = Policy::new(parse_issuers(&issuers, single_issuer)?, audience)
            .with_leeway(seconds("leeway", leeway)?)
            .with_document_ceiling(seconds("cache_ttl_seconds", cache_ttl)?)
            .with_statuses(if rfc_status_codes { StatusProfile::Rfc } else { StatusProfile::Compatible });
        if let Some(names) = algorithms {
            policy = policy.with_algorithms(parse_algorithms(&names)?);
        }
        Ok(Self { verifier: Verifier::new(policy) })
    }

    #[expect(unused_variables, reason = "method and URL decide on proofs of possession only")]
    fn verify_request<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyAny>,
        method: Option<&str>,
        url: Option<&str>,
        now: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let fields = HeaderFields::collect(headers)?;
            self.give(py, self.verifier.verify(&fields.facts(), unix_time(now)?))
        })
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
            self.give(py, self.verifier.verify_access_token(token, &required, unix_time(now)?))
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

    fn document_failed(&self, py: Python<'_>, needed: &DocumentNeeded, now: f64) -> PyResult<()> {
        guarded(py, || {
            self.verifier.document_failed(&needed.0, unix_time(now)?);
            Ok(())
        })
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
            Outcome::Verified(token) => Ok(to_dict(py, token.claims())?.into_any()),
            Outcome::DocumentNeeded(needed) => Ok(Bound::new(py, DocumentNeeded(needed))?.into_any()),
            Outcome::Rejected(refusal) => Err(errors::refused(py, &self.verifier, &refusal)),
            Outcome::Unavailable(unavailable) => Err(errors::unavailable(py, &unavailable)),
            _ => Err(errors::internal(py)),
        }
    }
}

fn parse_issuers(names: &[String], single: bool) -> PyResult<Issuers> {
    let parsed: Result<Vec<IssuerUrl>, _> = names.iter().map(|name| IssuerUrl::parse(name)).collect();
    let mut parsed = parsed.map_err(configuration)?.into_iter();
    match (parsed.next(), single) {
        (None, _) => Err(ConfigurationError::new_err("at least one issuer is required")),
        (Some(issuer), true) if parsed.len() == 0 => Ok(Issuers::single(issuer)),
        (Some(issuer), _) => Ok(Issuers::any_of(issuer, parsed)),
    }
}

fn parse_algorithms(names: &[String]) -> PyResult<AlgorithmSet> {
    let unknown = |name: &String| ConfigurationError::new_err(format!("algorithm {name:?} is not supported"));
    let parsed: PyResult<Vec<Algorithm>> =
        names.iter().map(|name| Algorithm::from_name(name).ok_or_else(|| unknown(name))).collect();
    let mut parsed = parsed?.into_iter();
    let first =
        parsed.next().ok_or_else(|| ConfigurationError::new_err("at least one algorithm is required"))?;
    Ok(AlgorithmSet::new(first, parsed))
}

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| ConfigurationError::new_err(format!("{name} must be a non-negative number of seconds")))
}

fn unix_time(now: f64) -> PyResult<UnixTime> {
    UnixTime::from_seconds(now).ok_or_else(|| PyValueError::new_err("now is not a Unix time in seconds"))
}

fn configuration<E: std::error::Error>(error: E) -> PyErr {
    ConfigurationError::new_err(error.to_string())
}
