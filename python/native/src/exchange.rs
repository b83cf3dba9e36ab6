//! Client flows for Python: builds forms and reads answers. Sends nothing.

use bearward_core::UnixTime;
use bearward_exchange::{AssertionAlgorithm, EndpointAnswer, Member, ProfileExchange, RequestError};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::exceptions::{self, guarded};
use crate::values::unix_time;

/// An exchange of one token for another: the form for the token endpoint, and how to read the answer.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Exchange(bearward_exchange::Exchange);

/// A token that was granted.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Granted(bearward_exchange::Granted);

/// Granted tokens, for calls that ask for the same again. Safe to use from many threads.
#[pyclass(frozen, module = "bearward._native")]
#[derive(Default)]
pub(crate) struct TokenMemory(bearward_exchange::TokenMemory);

#[pymethods]
impl Exchange {
    #[staticmethod]
    fn vault(
        py: Python<'_>,
        connection: &str,
        access_token: &str,
        login_hint: Option<&str>,
        client_id: &str,
    ) -> PyResult<Self> {
        prepared(py, || bearward_exchange::Exchange::vault(connection, access_token, login_hint, client_id))
    }

    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn profile(
        py: Python<'_>,
        subject_token: &str,
        subject_token_type: &str,
        audience: Option<&str>,
        scope: Option<&str>,
        requested_token_type: Option<&str>,
        extra: Vec<(String, Vec<String>)>,
    ) -> PyResult<Self> {
        let asked = ProfileExchange {
            subject_token,
            subject_token_type,
            audience,
            scope,
            requested_token_type,
            extra: &extra,
        };
        prepared(py, || asked.prepare())
    }

    #[staticmethod]
    fn on_behalf_of(
        py: Python<'_>,
        access_token: &str,
        audience: &str,
        scope: Option<&str>,
    ) -> PyResult<Self> {
        prepared(py, || bearward_exchange::Exchange::on_behalf_of(access_token, audience, scope))
    }

    #[getter]
    fn form(&self) -> Vec<(&str, &str)> {
        self.0.form().collect()
    }

    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0.key().map(|key| PyBytes::new(py, &key))
    }

    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn read(
        &self,
        py: Python<'_>,
        status: u16,
        content_type: Option<&str>,
        body: Vec<u8>,
        secrets: Vec<String>,
        now: f64,
    ) -> PyResult<Granted> {
        guarded(py, || {
            let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let answer = EndpointAnswer { status, content_type, body };
            let granted = self.0.read(answer, &secrets, unix_time(now)?);
            granted.map(Granted).map_err(|error| exceptions::endpoint(py, &error))
        })
    }
}

#[pymethods]
impl Granted {
    /// The result as a new dict, because each waiting caller gets its own.
    fn result<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        to_dict(py, &self.0, self.0.received())
    }

    #[getter]
    fn is_personal(&self) -> bool {
        self.0.is_personal()
    }
}

#[pymethods]
impl TokenMemory {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn find<'py>(
        &self,
        py: Python<'py>,
        exchange: &Exchange,
        now: f64,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        guarded(py, || {
            let now = unix_time(now)?;
            self.0.find(&exchange.0, now).map(|granted| to_dict(py, &granted, now)).transpose()
        })
    }

    fn keep(&self, py: Python<'_>, exchange: &Exchange, granted: &Granted, now: f64) -> PyResult<()> {
        guarded(py, || {
            self.0.keep(&exchange.0, &granted.0, unix_time(now)?);
            Ok(())
        })
    }
}

/// A client's proof of who it is, to be signed. RFC 7523 section 3.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct ClientAssertion(String);

#[pymethods]
impl ClientAssertion {
    #[new]
    fn new(client_id: &str, audience: &str, algorithm: &str, jti: &str, now: f64) -> PyResult<Self> {
        let algorithm = AssertionAlgorithm::from_name(algorithm)
            .ok_or_else(|| PyValueError::new_err("not an algorithm for client assertions"))?;
        let assertion = bearward_exchange::ClientAssertion { client_id, audience, jti, algorithm };
        Ok(Self(assertion.signing_input(unix_time(now)?)))
    }

    #[getter]
    fn signing_input<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.as_bytes())
    }

    /// The form fields of the assertion, with the signature over `signing_input`.
    fn fields(&self, signature: &[u8]) -> Vec<(&'static str, String)> {
        bearward_exchange::ClientAssertion::fields(&self.0, signature).into()
    }
}

fn prepared(
    py: Python<'_>,
    prepare: impl FnOnce() -> Result<bearward_exchange::Exchange, RequestError>,
) -> PyResult<Exchange> {
    guarded(py, || prepare().map(Exchange).map_err(|error| exceptions::request(py, &error)))
}

fn to_dict<'py>(
    py: Python<'py>,
    granted: &bearward_exchange::Granted,
    now: UnixTime,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, member) in granted.members(now) {
        match member {
            Member::Text(text) => dict.set_item(name, text)?,
            Member::Seconds(seconds) => dict.set_item(name, seconds)?,
        }
    }
    Ok(dict)
}
