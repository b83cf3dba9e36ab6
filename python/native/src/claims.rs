//! Verified claims as Python objects. Each call makes new ones.

use bearward_core::encoding::json::{Kind, Number, Object, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

/// A JSON object as a `dict`, as `json.loads` would give it. Nested no deeper than the engine's limit.
pub(crate) fn to_dict<'py>(py: Python<'py>, object: Object<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in object.members() {
        dict.set_item(name, to_object(py, value)?)?;
    }
    Ok(dict)
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
