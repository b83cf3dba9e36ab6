//! Questions about opaque tokens, for Python's driver, which asks them.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A question to the introspection endpoint. Its `repr` shows no token.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct IntrospectionNeeded(pub(crate) bearward_core::IntrospectionNeeded);

#[pymethods]
impl IntrospectionNeeded {
    #[getter]
    fn url(&self) -> &str {
        self.0.url()
    }

    #[getter]
    fn issuer(&self) -> &str {
        self.0.issuer().as_str()
    }

    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.key())
    }

    fn form(&self) -> Vec<(&'static str, &str)> {
        self.0.form().to_vec()
    }
}
