//! What a resource requires of a good token: Python's arguments as the engine's requirement.

use std::time::Duration;

use bearward_core::encoding::json::JsonObject;
use pyo3::prelude::*;

use crate::exceptions::ConfigurationError;
use crate::headers::FieldLines;

/// What a resource requires of a good token. Nothing that is `None` is required.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Requirement(pub(crate) bearward_core::Requirement);

#[pymethods]
impl Requirement {
    #[new]
    #[pyo3(signature = (
        *, scopes=Vec::new(), any_scope=None, permissions=Vec::new(), any_permission=None, organizations=None,
        claims=None, acr=None, max_age=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
    fn new(
        scopes: Vec<String>,
        any_scope: Option<Vec<String>>,
        permissions: Vec<String>,
        any_permission: Option<Vec<String>>,
        organizations: Option<Vec<String>>,
        claims: Option<&str>,
        acr: Option<Vec<String>>,
        max_age: Option<f64>,
    ) -> PyResult<Self> {
        let mut requirement = bearward_core::Requirement::new().scopes(scopes).permissions(permissions);
        if let Some(any) = any_scope {
            requirement = requirement.any_scope(any);
        }
        if let Some(any) = any_permission {
            requirement = requirement.any_permission(any);
        }
        if let Some(accepted) = organizations {
            requirement = requirement.organizations(accepted);
        }
        if let Some(text) = claims {
            let refused = |error| ConfigurationError::new_err(format!("claims can't be used: {error}"));
            requirement = requirement.claims(JsonObject::parse(text.as_bytes().to_vec()).map_err(refused)?);
        }
        if let Some(accepted) = acr {
            requirement = requirement.acr(accepted);
        }
        if let Some(seconds) = max_age {
            let refused = |_| ConfigurationError::new_err("max_age must be a non-negative number of seconds");
            requirement = requirement.max_age(Duration::try_from_secs_f64(seconds).map_err(refused)?);
        }
        Ok(Self(requirement))
    }
}

/// Whether a request has credentials of any kind, good or bad.
#[pyfunction]
pub(crate) fn has_credentials(headers: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(bearward_core::has_credentials(&FieldLines::collect(headers)?.fields()))
}
