//! The documents of issuers, for Python's driver, which fetches them.

use std::sync::Arc;

use bearward_core::documents::{DocumentKind, Response};
use bearward_core::issuer::IssuerUrl;
use bearward_core::issuer::name::IssuerNameError;
use bearward_core::{LookupNext, TokenEndpointLookup};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::exceptions::{self, guarded};
use crate::status;
use crate::values::{configuration, unix_time};

/// The documents of issuers. Safe to use from many threads. Several engines may share them.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Documents(pub(crate) Arc<bearward_core::Documents>);

/// A document of an issuer that has to be fetched.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct DocumentNeeded(pub(crate) bearward_core::documents::DocumentNeeded);

#[pymethods]
impl DocumentNeeded {
    #[getter]
    fn issuer(&self) -> &str {
        self.0.issuer().as_str()
    }

    #[getter]
    fn wait_at_most(&self) -> Option<f64> {
        self.0.wait_at_most().map(|wait| wait.as_secs_f64())
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
impl Documents {
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn answered(
        &self,
        py: Python<'_>,
        needed: &DocumentNeeded,
        status: u16,
        fields: Vec<(String, String)>,
        body: Vec<u8>,
        now: f64,
    ) -> PyResult<(Option<String>, f64)> {
        guarded(py, || {
            let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let response = Response::new(status, fields, body);
            Ok(match self.0.answered(&needed.0, response, unix_time(now)?) {
                Ok(fresh_for) => (None, fresh_for.as_secs_f64()),
                Err(error) => (Some(error.to_string()), 0.0),
            })
        })
    }

    fn found_in_cache(
        &self,
        py: Python<'_>,
        needed: &DocumentNeeded,
        body: Vec<u8>,
        now: f64,
    ) -> PyResult<Option<String>> {
        guarded(py, || {
            let found = self.0.found_in_cache(&needed.0, body, unix_time(now)?);
            Ok(found.err().map(|error| error.to_string()))
        })
    }

    fn unreachable(&self, py: Python<'_>, needed: &DocumentNeeded, now: f64) -> PyResult<()> {
        guarded(py, || {
            self.0.unreachable(&needed.0, unix_time(now)?);
            Ok(())
        })
    }

    fn status<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Bound<'py, PyList>> {
        let issuers = self.0.status(unix_time(now)?);
        let dicts: PyResult<Vec<_>> = issuers.iter().map(|issuer| status::to_dict(py, issuer)).collect();
        PyList::new(py, dicts?)
    }

    #[pyo3(signature = (issuer, now, exact=false))]
    fn missing(
        &self,
        py: Python<'_>,
        issuer: &str,
        now: f64,
        exact: bool,
    ) -> PyResult<Option<DocumentNeeded>> {
        guarded(py, || {
            let issuer = named(issuer, exact).map_err(configuration)?;
            Ok(self.0.missing(&issuer, unix_time(now)?).map(DocumentNeeded))
        })
    }

    #[pyo3(signature = (issuer, now, exact=false))]
    fn is_ready(&self, py: Python<'_>, issuer: &str, now: f64, exact: bool) -> PyResult<bool> {
        guarded(py, || {
            let issuer = named(issuer, exact).map_err(configuration)?;
            Ok(self.0.is_ready(&issuer, unix_time(now)?))
        })
    }

    fn token_endpoint(&self, issuer: &str) -> PyResult<TokenEndpointSearch> {
        let issuer = IssuerUrl::parse(issuer).map_err(configuration)?;
        let lookup = std::sync::Mutex::new(TokenEndpointLookup::new(issuer));
        Ok(TokenEndpointSearch { documents: Arc::clone(&self.0), lookup })
    }
}

/// `exact`: it is spelled as its tokens spell it.
fn named(issuer: &str, exact: bool) -> Result<IssuerUrl, IssuerNameError> {
    if exact { IssuerUrl::exact(issuer) } else { IssuerUrl::parse(issuer) }
}

/// The search for the token endpoint of an issuer.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct TokenEndpointSearch {
    documents: Arc<bearward_core::Documents>,
    lookup: std::sync::Mutex<TokenEndpointLookup>,
}

/// The token endpoint of an issuer.
#[pyclass(frozen, get_all, module = "bearward._native")]
pub(crate) struct TokenEndpoint {
    url: Option<String>,
    refresh: Option<Py<DocumentNeeded>>,
}

#[pymethods]
impl TokenEndpointSearch {
    fn waited(&self, needed: &DocumentNeeded) {
        self.lookup.lock().unwrap_or_else(std::sync::PoisonError::into_inner).waited(&needed.0);
    }

    fn next<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let mut lookup = self.lookup.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match lookup.next(&self.documents, unix_time(now)?) {
                LookupNext::Fetch(needed) => Ok(Bound::new(py, DocumentNeeded(needed))?.into_any()),
                LookupNext::Done(found) => {
                    let found = found.map_err(|refused| exceptions::refused(py, &refused))?;
                    let refresh = found.refresh.map(|due| Py::new(py, DocumentNeeded(due))).transpose()?;
                    Ok(Bound::new(py, TokenEndpoint { url: found.url, refresh })?.into_any())
                }
            }
        })
    }
}
