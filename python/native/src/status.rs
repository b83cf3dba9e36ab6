//! An issuer's status as Python objects: durations in seconds, errors as text.

use std::time::Duration;

use bearward_core::documents::{DocumentStatus, IssuerStatus};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

pub(crate) fn to_dict<'py>(py: Python<'py>, issuer: &IssuerStatus) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("issuer", &issuer.issuer)?;
    dict.set_item("discovery", document(py, &issuer.metadata)?)?;
    dict.set_item("key_set", document(py, &issuer.key_set)?)?;
    let keys = PyList::empty(py);
    for key in &issuer.keys {
        let entry = PyDict::new(py);
        entry.set_item("kid", &key.kid)?;
        entry.set_item("problem", key.problem.map(|problem| problem.to_string()))?;
        keys.append(entry)?;
    }
    dict.set_item("keys", keys)?;
    Ok(dict)
}

fn document<'py>(py: Python<'py>, status: &DocumentStatus) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("age", status.age.map(|age| age.as_secs_f64()))?;
    dict.set_item("last_error", status.last_error.map(|error| error.to_string()))?;
    dict.set_item("next_fetch_in", status.next_fetch_in.as_ref().map(Duration::as_secs_f64))?;
    dict.set_item("fetched", status.counts.good)?;
    dict.set_item("failed", status.counts.failed)?;
    Ok(dict)
}
