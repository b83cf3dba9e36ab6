//! `bearward._native`: the engine for Python. Converts, calls, converts back. It has no rules of its own.
#![forbid(unsafe_code)]

mod claims;
mod decision;
mod documents;
mod engine;
mod exceptions;
mod exchange;
mod headers;
mod introspection;
mod operations;
mod passed;
mod request;
mod requirement;
mod resource;
mod status;
mod url;
mod values;

use pyo3::prelude::*;

/// The engine for Python. Private: import from `bearward`.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::decision::{CheckReplay, Decision, IssuerSet, ResolveIssuers};
    #[pymodule_export]
    use super::documents::{DocumentNeeded, Documents, TokenEndpoint, TokenEndpointSearch};
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::exchange::{ClientAssertion, Exchange, Granted, TokenMemory};
    #[pymodule_export]
    use super::introspection::IntrospectionNeeded;
    #[pymodule_export]
    use super::operations::Operations;
    #[pymodule_export]
    use super::passed::Passed;
    #[pymodule_export]
    use super::requirement::{Requirement, has_credentials};
    #[pymodule_export]
    use super::resource::{Guidance, ProtectedResource, ResourceDocument};
    #[pymodule_export]
    use super::url::PublicUrl;
    #[pymodule_export]
    use super::{check_issuer, is_plain_http, normalize_issuer, resolver_error, scope_grants};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}

/// A host or https URL in normal form: `https://host[:port]/`. Raises `ValueError` if it is neither.
#[pyfunction]
fn normalize_issuer(domain: &str) -> PyResult<String> {
    bearward_core::issuer::IssuerUrl::parse(domain)
        .map(|issuer| issuer.as_str().to_owned())
        .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}

/// Raises `ValueError` if this can't be the URL of an issuer, exactly as its tokens spell it.
#[pyfunction]
fn check_issuer(issuer: &str) -> PyResult<()> {
    bearward_core::issuer::IssuerUrl::exact(issuer)
        .map(drop)
        .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}

/// Whether requests to this issuer go without TLS. Only this machine can be such an issuer.
#[pyfunction]
fn is_plain_http(issuer: &str) -> bool {
    bearward_core::issuer::IssuerUrl::exact(issuer).is_ok_and(|issuer| issuer.is_plain_http())
}

/// Whether the space-separated `scope` has all of `required`. RFC 6749 section 3.3.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
fn scope_grants(scope: &str, required: Vec<String>) -> bool {
    bearward_core::scope_grants(scope, &required)
}

/// The `DomainsResolverError` for a resolver of issuers that failed. `detail`: facts about the failure, for the log.
#[pyfunction]
fn resolver_error<'py>(py: Python<'py>, failure: &str, detail: &str) -> PyResult<Bound<'py, PyAny>> {
    use bearward_core::refusal::{ResolverFailure, UnusableIssuers};
    let cause = match failure {
        "timeout" => bearward_core::Unavailable::ResolverTimeout.into(),
        "raised" => bearward_core::Cause::Resolver(ResolverFailure::Raised),
        "not_a_list" => unusable(UnusableIssuers::NotAList),
        "empty" => unusable(UnusableIssuers::Empty),
        "not_texts" => unusable(UnusableIssuers::NotTexts),
        "no_issuer" => unusable(UnusableIssuers::NoIssuer),
        other => return Err(pyo3::exceptions::PyValueError::new_err(format!("{other:?} is no failure"))),
    };
    let refused = bearward_core::Refused::without_credentials(cause);
    Ok(exceptions::resolver(py, &refused, detail).into_value(py).into_bound(py).into_any())
}

fn unusable(issuers: bearward_core::refusal::UnusableIssuers) -> bearward_core::Cause {
    bearward_core::Cause::Resolver(bearward_core::refusal::ResolverFailure::Unusable(issuers))
}
