//! Python's headers as field lines for the engine.

use bearward_core::HeaderFields;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

/// The field lines of a request that the engine reads, kept while it reads them.
pub(crate) struct FieldLines<'py>(Vec<(&'static str, Text<'py>)>);

/// A value: bytes from a server, or text from a caller's mapping.
enum Text<'py> {
    Bytes(Bound<'py, PyBytes>),
    // The stable ABI of the oldest supported Python can't lend a string's UTF-8, so it is copied.
    Copied(Vec<u8>),
}

/// The fields of a request that hold its credentials.
#[derive(Default)]
pub(crate) struct Credentials(Vec<(&'static str, Owned)>);

enum Owned {
    Bytes(Py<PyBytes>),
    Copied(Vec<u8>),
}

impl<'py> FieldLines<'py> {
    /// From raw ASGI pairs (a list of pairs of bytes), or from a mapping with names in any case.
    pub(crate) fn collect(headers: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut lines = Vec::with_capacity(4);
        let mut note = |pair: &Bound<'py, PyAny>| -> PyResult<()> {
            // ASGI says tuples or lists ("iterables"); every server sends tuples.
            if let Ok(tuple) = pair.cast::<PyTuple>() {
                if let Some(name) = known_name(&*tuple.get_borrowed_item(0)?) {
                    lines.push((name, Text::of(tuple.get_item(1)?)));
                }
            } else if let Some(name) = known_name(&pair.get_item(0)?) {
                lines.push((name, Text::of(pair.get_item(1)?)));
            }
            Ok(())
        };
        if let Ok(list) = headers.cast::<PyList>() {
            list.iter().try_for_each(|pair| note(&pair))?;
        } else {
            headers.call_method0("items")?.try_iter()?.try_for_each(|pair| note(&pair?))?;
        }
        Ok(Self(lines))
    }

    pub(crate) fn fields(&self) -> HeaderFields<'_> {
        HeaderFields::of(self.0.iter().map(|(name, value)| (name, value.as_bytes())))
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let credentials = self.0.iter().filter(|line| is_credential(line));
        Credentials(credentials.map(|(name, value)| (*name, value.to_owned())).collect())
    }
}

impl Credentials {
    pub(crate) fn are_of(&self, lines: &FieldLines<'_>) -> bool {
        let mut others = lines.0.iter().filter(|line| is_credential(line));
        let same = self
            .0
            .iter()
            .all(|(name, value)| others.next().is_some_and(|(other, text)| name == other && value.is(text)));
        // Of none, nothing can be said.
        same && others.next().is_none() && !self.0.is_empty()
    }
}

fn is_credential(line: &(&'static str, Text<'_>)) -> bool {
    matches!(line.0, "authorization" | "dpop")
}

fn known_name(name: &Bound<'_, PyAny>) -> Option<&'static str> {
    match name.cast::<PyBytes>() {
        Ok(bytes) => HeaderFields::known_name(bytes.as_bytes()),
        Err(_) => HeaderFields::known_name(name.cast::<PyString>().ok()?.to_cow().ok()?.as_bytes()),
    }
}

impl<'py> Text<'py> {
    /// Anything else than bytes and UTF-8 text becomes a byte that no credentials can have, so it is refused.
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

    fn to_owned(&self) -> Owned {
        match self {
            Self::Bytes(bytes) => Owned::Bytes(bytes.clone().unbind()),
            Self::Copied(bytes) => Owned::Copied(bytes.clone()),
        }
    }
}

impl Owned {
    fn is(&self, text: &Text<'_>) -> bool {
        match (self, text) {
            (Self::Bytes(own), Text::Bytes(bytes)) => own.as_bytes(bytes.py()) == bytes.as_bytes(),
            (Self::Copied(own), text) => own == text.as_bytes(),
            (Self::Bytes(_), Text::Copied(_)) => false,
        }
    }
}
