//! What an API publishes about itself, for Python.

use std::sync::{Arc, Mutex, PoisonError};

use bearward_core::{ResourceDocumentNext, Verifier};
use pyo3::prelude::*;

use crate::documents::DocumentNeeded;
use crate::exceptions::{self, guarded};
use crate::values::{configuration, unix_time};

/// A protected resource. RFC 9728.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct ProtectedResource(bearward_core::ProtectedResource);

#[pymethods]
impl ProtectedResource {
    #[new]
    #[pyo3(signature = (
        resource, *, authorization_servers=Vec::new(), scopes_supported=Vec::new(), resource_name=None, documentation=None,
        policy_uri=None, tos_uri=None,
    ))]
    fn new(
        resource: &str,
        authorization_servers: Vec<String>,
        scopes_supported: Vec<String>,
        resource_name: Option<&str>,
        documentation: Option<&str>,
        policy_uri: Option<&str>,
        tos_uri: Option<&str>,
    ) -> PyResult<Self> {
        let made = || {
            let mut made = bearward_core::ProtectedResource::new(resource)?
                .with_authorization_servers(authorization_servers)?
                .with_scopes(scopes_supported)?;
            if let Some(name) = resource_name {
                made = made.with_name(name);
            }
            if let Some(url) = documentation {
                made = made.with_documentation(url)?;
            }
            if let Some(url) = policy_uri {
                made = made.with_policy_uri(url)?;
            }
            if let Some(url) = tos_uri {
                made = made.with_tos_uri(url)?;
            }
            Ok::<_, bearward_core::resource::ResourceError>(made)
        };
        made().map(Self).map_err(configuration)
    }

    #[getter]
    fn resource(&self) -> &str {
        self.0.as_str()
    }

    #[getter]
    fn origin(&self) -> &str {
        self.0.origin()
    }

    #[getter]
    fn metadata_url(&self) -> String {
        self.0.metadata_url()
    }

    #[getter]
    fn metadata_paths(&self) -> Vec<String> {
        self.0.metadata_paths()
    }
}

/// What challenges say besides the error.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Guidance(pub(crate) Arc<bearward_core::Guidance>);

#[pymethods]
impl Guidance {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn new(resource: &ProtectedResource, scopes: Vec<String>) -> PyResult<Self> {
        let guidance = bearward_core::Guidance::new(&resource.0, &scopes).map_err(configuration)?;
        Ok(Self(Arc::new(guidance)))
    }
}

/// The making of a resource's metadata document, which may need documents of issuers.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct ResourceDocument {
    verifier: Arc<Verifier>,
    document: Mutex<bearward_core::ResourceDocument>,
}

impl ResourceDocument {
    pub(crate) fn begin(verifier: &Arc<Verifier>, resource: &ProtectedResource) -> PyResult<Self> {
        let document =
            bearward_core::ResourceDocument::new(resource.0.clone(), verifier).map_err(configuration)?;
        Ok(Self { verifier: Arc::clone(verifier), document: Mutex::new(document) })
    }
}

#[pymethods]
impl ResourceDocument {
    fn waited(&self) {
        self.document.lock().unwrap_or_else(PoisonError::into_inner).waited();
    }

    fn next<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let mut document = self.document.lock().unwrap_or_else(PoisonError::into_inner);
            match document.next(&self.verifier, unix_time(now)?) {
                ResourceDocumentNext::Fetch(needed) => Ok(Bound::new(py, DocumentNeeded(needed))?.into_any()),
                ResourceDocumentNext::Done(Ok(text)) => Ok(text.into_pyobject(py)?.into_any()),
                ResourceDocumentNext::Done(Err(refused)) => Err(exceptions::refused(py, &refused)),
            }
        })
    }
}
