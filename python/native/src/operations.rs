//! Which scopes the operations in a JSON-RPC body need, for Python.

use std::collections::BTreeMap;

use pyo3::prelude::*;

use crate::exceptions::{self, guarded};
use crate::values::configuration;

/// The scopes that operations need.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Operations(bearward_core::operations::Operations);

/// Scopes for all calls of a method, or by the name of the tool or prompt.
#[derive(FromPyObject)]
enum Needs {
    Always(Vec<String>),
    ByName(BTreeMap<String, Vec<String>>),
}

#[pymethods]
impl Operations {
    #[new]
    fn new(methods: BTreeMap<String, Needs>) -> PyResult<Self> {
        let mut operations = bearward_core::operations::Operations::new();
        for (method, needs) in methods {
            match needs {
                Needs::Always(scopes) => operations.require(&method, scopes),
                Needs::ByName(names) => {
                    operations.require_by_name(&method, names).map_err(configuration)?;
                }
            }
        }
        Ok(Self(operations))
    }

    fn scopes_of(&self, py: Python<'_>, body: Vec<u8>) -> PyResult<Vec<String>> {
        guarded(py, || {
            let scopes = self.0.scopes_of(body).map_err(|error| exceptions::operation(py, error))?;
            Ok(scopes.into_iter().map(str::to_owned).collect())
        })
    }

    #[classattr]
    #[pyo3(name = "BYTES_AT_MOST")]
    const BYTES_AT_MOST: usize = bearward_core::limits::OPERATION_BYTES;
}
