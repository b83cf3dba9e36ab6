//! Verified claims as Python objects. Each call gives new ones.

use bearward_core::VerifiedToken;
use bearward_core::encoding::json::{Kind, Number, Object, Value};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

/// The claims of a token. For one that is remembered, its dict is remembered with it: a copy is made of that in less time.
pub(crate) fn of_token<'py>(py: Python<'py>, token: &VerifiedToken) -> PyResult<Bound<'py, PyDict>> {
    let Some(companion) = token.companion() else { return to_dict(py, token.claims()) };
    // Not `get_or_init`: a thread that waits in it would keep the others from running Python, which makes the dict.
    if companion.get().is_none() {
        let _other_was_first = companion.set(Box::new(Template::of(py, token.claims())?));
    }
    match companion.get().and_then(|kept| kept.downcast_ref::<Template>()) {
        Some(template) => template.copy(py),
        None => to_dict(py, token.claims()),
    }
}

/// A dict that nobody gets: only copies of it are given away, which share nothing that can be changed.
struct Template {
    claims: Py<PyDict>,
    /// The members that are dicts and lists.
    nested: Vec<(Py<PyAny>, Nested)>,
}

enum Nested {
    /// A list with nothing in it that can be changed, such as `aud`. Python copies it at once.
    Flat(Py<PyList>),
    Other(Py<PyAny>),
}

impl Template {
    fn of(py: Python<'_>, object: Object<'_>) -> PyResult<Self> {
        let claims = to_dict(py, object)?;
        let nested = claims
            .iter()
            .filter(|(_, value)| can_be_changed(value))
            .map(|(name, value)| (name.unbind(), Nested::of(value)))
            .collect();
        Ok(Self { claims: claims.unbind(), nested })
    }

    fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let claims = self.claims.bind(py).copy()?;
        for (name, value) in &self.nested {
            claims.set_item(name, value.copy(py)?)?;
        }
        Ok(claims)
    }
}

impl Nested {
    fn of(value: Bound<'_, PyAny>) -> Self {
        match value.cast_into::<PyList>() {
            Ok(list) if !list.iter().any(|item| can_be_changed(&item)) => Self::Flat(list.unbind()),
            Ok(list) => Self::Other(list.into_any().unbind()),
            Err(other) => Self::Other(other.into_inner().unbind()),
        }
    }

    fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Flat(list) => {
                let list = list.bind(py);
                Ok(list.get_slice(0, list.len()).into_any())
            }
            Self::Other(value) => copied(value.bind(py)),
        }
    }
}

fn can_be_changed(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyDict>() || value.is_instance_of::<PyList>()
}

/// A copy, nested no deeper than the engine's limit. Texts, numbers, truth values and `None` can't be changed.
fn copied<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(list) = value.cast::<PyList>() {
        let copies: PyResult<Vec<_>> = list.iter().map(|item| copied(&item)).collect();
        return Ok(PyList::new(value.py(), copies?)?.into_any());
    }
    let Ok(dict) = value.cast::<PyDict>() else { return Ok(value.clone()) };
    let copy = PyDict::new(value.py());
    for (name, value) in dict {
        copy.set_item(name, copied(&value)?)?;
    }
    Ok(copy.into_any())
}

/// A JSON object as a `dict`, as `json.loads` would give it. Nested no deeper than the engine's limit.
pub(crate) fn to_dict<'py>(py: Python<'py>, object: Object<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in object.members() {
        let value = to_object(py, value)?;
        match usual_name(py, name) {
            Some(name) => dict.set_item(name, value)?,
            None => dict.set_item(name, value)?,
        }
    }
    Ok(dict)
}

/// The name of a claim that most tokens have, which Python then need not make and hash for each of them. RFC 7519 §4.1,
/// RFC 9068 §2.2, RFC 7800 §3.1, RFC 9449 §4.2; Auth0.
fn usual_name<'py>(py: Python<'py>, name: &str) -> Option<&'py Bound<'py, PyString>> {
    Some(match name {
        "iss" => intern!(py, "iss"),
        "sub" => intern!(py, "sub"),
        "aud" => intern!(py, "aud"),
        "exp" => intern!(py, "exp"),
        "iat" => intern!(py, "iat"),
        "nbf" => intern!(py, "nbf"),
        "jti" => intern!(py, "jti"),
        "azp" => intern!(py, "azp"),
        "gty" => intern!(py, "gty"),
        "cnf" => intern!(py, "cnf"),
        "jkt" => intern!(py, "jkt"),
        "htm" => intern!(py, "htm"),
        "htu" => intern!(py, "htu"),
        "ath" => intern!(py, "ath"),
        "scope" => intern!(py, "scope"),
        "org_id" => intern!(py, "org_id"),
        "client_id" => intern!(py, "client_id"),
        "permissions" => intern!(py, "permissions"),
        _ => return None,
    })
}

fn to_object<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value.kind() {
        Kind::Null => py.None().into_bound(py),
        Kind::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
        Kind::String(text) => PyString::new(py, text).into_any(),
        Kind::Number(number) => to_number(py, number)?,
        Kind::Array(array) => {
            let list = PyList::empty(py);
            for item in array.items() {
                list.append(to_object(py, item)?)?;
            }
            list.into_any()
        }
        Kind::Object(object) => to_dict(py, object)?.into_any(),
    })
}

fn to_number<'py>(py: Python<'py>, number: Number<'_>) -> PyResult<Bound<'py, PyAny>> {
    if let Some(small) = number.as_i64() {
        return Ok(PyInt::new(py, small).into_any());
    }
    if number.is_integer() {
        return py.get_type::<PyInt>().call1((number.text(),));
    }
    Ok(PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any())
}
