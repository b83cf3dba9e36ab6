//! Conversions that several classes need: times, and errors in the configuration.

use bearward_core::UnixTime;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::exceptions::ConfigurationError;

pub(crate) fn unix_time(now: f64) -> PyResult<UnixTime> {
    UnixTime::from_seconds(now).ok_or_else(|| PyValueError::new_err("now is not a Unix time in seconds"))
}

pub(crate) fn configuration<E: std::error::Error>(error: E) -> PyErr {
    ConfigurationError::new_err(error.to_string())
}
