//! The header fields that matter, out of what Python calls headers.

use bearward_core::{Field, RequestFacts};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

/// The values of the fields that matter, kept alive while the engine looks at them.
#[derive(Default)]
pub(crate) struct HeaderFields<'py> {
    authorization: Vec<Text<'py>>,
}

/// A name or value: bytes from a server, text from whoever made a mapping.
enum Text<'py> {
    Bytes(Bound<'py, PyBytes>),
    // The stable ABI of our oldest Python can't lend a string's UTF-8, so it is copied.
    Copied(Vec<u8>),
}

impl<'py> HeaderFields<'py> {
    /// From raw ASGI pairs (a list of pairs of bytes), or from a mapping with names in any case.
    pub(crate) fn collect(headers: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut fields = Self::default();
        if let Ok(list) = headers.cast::<PyList>() {
            for pair in list.iter() {
                fields.note_pair(&pair)?;
            }
        } else {
            for pair in headers.call_method0("items")?.try_iter()? {
                fields.note_pair(&pair?)?;
            }
        }
        Ok(fields)
    }

    fn note_pair(&mut self, pair: &Bound<'py, PyAny>) -> PyResult<()> {
        // ASGI says tuples or lists ("iterables"); every server sends tuples.
        let (name, value) = match pair.cast::<PyTuple>() {
            Ok(tuple) => (tuple.get_item(0)?, tuple.get_item(1)?),
            Err(_) => (pair.get_item(0)?, pair.get_item(1)?),
        };
        if Text::of(name).as_bytes().eq_ignore_ascii_case(b"authorization") {
            self.authorization.push(Text::of(value));
        }
        Ok(())
    }

    pub(crate) fn facts(&self) -> RequestFacts<'_> {
        let mut facts = RequestFacts { authorization: Field::Absent };
        for value in &self.authorization {
            facts.authorization.add(value.as_bytes());
        }
        facts
    }
}

impl<'py> Text<'py> {
    /// What is neither bytes nor UTF-8 text becomes a byte that no name and no credentials hold: it is refused.
    fn of(object: Bound<'py, PyAny>) -> Self {
        match object.cast_into::<PyBytes>() {
            Ok(bytes) => Self::Bytes(bytes),
            Err(other) => {
                Self::Copied(match other.into_inner().cast::<PyString>().map(PyStringMethods::to_cow) {
                    Ok(Ok(text)) => text.as_bytes().to_vec(),
                    _ => vec![0xff],
                })
            }
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Copied(bytes) => bytes,
        }
    }
}
