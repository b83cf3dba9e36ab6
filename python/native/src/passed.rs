//! A request that is let in, for Python.

use std::sync::Arc;

use bearward_core::{Presented, Refused, Verified, Verifier};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::claims;
use crate::documents::DocumentNeeded;
use crate::exceptions::{self, guarded, instance};
use crate::headers::{Credentials, FieldLines};
use crate::requirement::Requirement;
use crate::resource::Guidance;
use crate::values::unix_time;

/// A request that is let in: its token, and what to do besides.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Passed {
    about: Arc<About>,
    verified: Verified,
    /// Why the token doesn't meet the requirement that was asked with.
    #[pyo3(get)]
    unmet: Option<Py<PyAny>>,
    /// A document to fetch in the background. No other request was asked to.
    #[pyo3(get)]
    refresh: Option<Py<DocumentNeeded>>,
}

/// What a question is about, to know an equal one again, and what is asked of the token besides.
pub(crate) struct About {
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) credentials: Credentials,
    /// Method and URL, where they count.
    pub(crate) target: Option<(Py<PyString>, Py<PyString>)>,
    pub(crate) requirement: Option<Py<Requirement>>,
}

impl About {
    /// No request: a token by itself.
    pub(crate) fn token_alone(verifier: &Arc<Verifier>) -> Arc<Self> {
        let verifier = Arc::clone(verifier);
        Arc::new(Self { verifier, credentials: Credentials::default(), target: None, requirement: None })
    }

    pub(crate) fn done<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        outcome: Result<Verified, Box<Refused>>,
        now: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut verified = outcome.map_err(|refused| exceptions::refused(py, &refused))?;
        let unmet = match &self.requirement {
            Some(requirement) => self.unmet(py, &verified, requirement.get(), now)?,
            None => None,
        };
        let refresh = verified.refresh.take().map(|due| Py::new(py, DocumentNeeded(*due))).transpose()?;
        Ok(Bound::new(py, Passed { about: Arc::clone(self), verified, unmet, refresh })?.into_any())
    }

    fn unmet(
        &self,
        py: Python<'_>,
        verified: &Verified,
        requirement: &Requirement,
        now: f64,
    ) -> PyResult<Option<Py<PyAny>>> {
        let met = self.verifier.require(verified, &requirement.0, unix_time(now)?);
        Ok(met.err().map(|refused| instance(py, &refused).unbind()))
    }
}

#[pymethods]
impl Passed {
    /// The claims, as a dict of the caller's own.
    fn claims<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        claims::of_token(py, &self.verified.token)
    }

    /// The same, if the route gets them and nothing else is due: the requirement is met, the answer gets no nonce, and no
    /// document is to be fetched.
    fn claims_if_all<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let is_all = self.unmet.is_none() && self.refresh.is_none() && self.verified.dpop_nonce.is_none();
        if is_all { self.claims(py).map(Some) } else { Ok(None) }
    }

    #[getter]
    fn issuer(&self) -> &str {
        self.verified.token.issuer()
    }

    #[getter]
    fn is_bound(&self) -> bool {
        self.verified.token.claims().get("cnf").is_some()
    }

    #[getter]
    fn dpop_nonce(&self) -> Option<&str> {
        self.verified.dpop_nonce.as_deref()
    }

    /// The error if the token doesn't meet another requirement. `guidance`: for its challenge.
    #[pyo3(signature = (requirement, now, guidance=None))]
    fn unmet_by(
        &self,
        py: Python<'_>,
        requirement: &Requirement,
        now: f64,
        guidance: Option<&Guidance>,
    ) -> PyResult<Option<Py<PyAny>>> {
        guarded(py, || {
            let token = &self.verified.token;
            let guidance = guidance.map(|guidance| &*guidance.0);
            let presented = Presented { scheme: token.scheme(), guidance };
            let now = unix_time(now)?;
            let met = self.about.verifier.require_claims(token.claims(), &requirement.0, presented, now);
            Ok(met.err().map(|refused| instance(py, &refused).unbind()))
        })
    }

    /// Whether this is the answer to a request with these fields, this method and this URL.
    fn answers<'py>(
        &self,
        headers: &Bound<'py, PyAny>,
        method: &Bound<'py, PyString>,
        url: &Bound<'py, PyString>,
    ) -> PyResult<bool> {
        let py = headers.py();
        if let Some((own, at)) = &self.about.target
            && !(own.bind(py).as_any().eq(method)? && at.bind(py).as_any().eq(url)?)
        {
            return Ok(false);
        }
        self.has_credentials_of(headers)
    }

    /// Whether a request with these fields has the credentials of the one that was let in.
    fn has_credentials_of(&self, headers: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.about.credentials.are_of(&FieldLines::collect(headers)?))
    }
}
