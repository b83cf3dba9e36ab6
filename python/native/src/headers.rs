//! Python's headers as field lines for the engine.

use bearward_core::HeaderFields;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

/// The field lines of a request that the engine reads, kept while it reads them.
pub(crate) struct FieldLines<'py>(Vec<(&'static str, Bound<'py, PyBytes>)>);

/// The fields of a request that hold its credentials.
#[derive(Default)]
pub(crate) struct Credentials(Vec<(&'static str, Py<PyBytes>)>);

impl<'py> FieldLines<'py> {
    /// From raw ASGI pairs (a list of pairs of bytes), or from a mapping with names in any case.
    pub(crate) fn collect(headers: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut lines = Self(Vec::with_capacity(4));
        if let Ok(list) = headers.cast::<PyList>() {
            list.iter().try_for_each(|pair| lines.note_pair(&pair))?;
        } else if let Ok(dict) = headers.cast_exact::<PyDict>() {
            // A subclass may have items of its own.
            dict.iter().try_for_each(|(name, value)| lines.note(&name, || Ok(value)))?;
        } else {
            headers.call_method0("items")?.try_iter()?.try_for_each(|pair| lines.note_pair(&pair?))?;
        }
        Ok(lines)
    }

    fn note_pair(&mut self, pair: &Bound<'py, PyAny>) -> PyResult<()> {
        // ASGI says tuples or lists ("iterables"); every server sends tuples.
        match pair.cast::<PyTuple>() {
            Ok(tuple) => self.note(&*tuple.get_borrowed_item(0)?, || tuple.get_item(1)),
            Err(_) => self.note(&pair.get_item(0)?, || pair.get_item(1)),
        }
    }

    fn note(
        &mut self,
        name: &Bound<'py, PyAny>,
        value: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        if let Some(name) = known_name(name) {
            self.0.push((name, bytes_of(value()?)));
        }
        Ok(())
    }

    pub(crate) fn fields(&self) -> HeaderFields<'_> {
        HeaderFields::of(self.0.iter().map(|(name, value)| (name, value.as_bytes())))
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let credentials = self.0.iter().filter(|line| is_credential(line));
        Credentials(credentials.map(|(name, value)| (*name, value.clone().unbind())).collect())
    }
}

impl Credentials {
    pub(crate) fn are_of(&self, lines: &FieldLines<'_>) -> bool {
        let mut others = lines.0.iter().filter(|line| is_credential(line));
        let is_same = |(name, value): &(&'static str, Py<PyBytes>)| {
            others
                .next()
                .is_some_and(|(other, bytes)| name == other && value.as_bytes(bytes.py()) == bytes.as_bytes())
        };
        let same = self.0.iter().all(is_same);
        // Of none, nothing can be said.
        same && others.next().is_none() && !self.0.is_empty()
    }
}

fn is_credential(line: &(&'static str, Bound<'_, PyBytes>)) -> bool {
    matches!(line.0, "authorization" | "dpop")
}

fn known_name(name: &Bound<'_, PyAny>) -> Option<&'static str> {
    if let Ok(bytes) = name.cast::<PyBytes>() {
        return HeaderFields::known_name(bytes.as_bytes());
    }
    let text = name.cast::<PyString>().ok()?;
    // All known names are ASCII, so the number of characters is the number of bytes. Most fields end here, uncopied.
    if !HeaderFields::may_be_known(text.len().ok()?) {
        return None;
    }
    HeaderFields::known_name(text.encode_utf8().ok()?.as_bytes())
}

/// A value: bytes from a server, or text from a caller's mapping. The stable ABI of the oldest supported Python can't lend a
/// string's UTF-8, so it is copied. Anything else becomes a byte that no credentials can have, so it is refused.
fn bytes_of(value: Bound<'_, PyAny>) -> Bound<'_, PyBytes> {
    let py = value.py();
    match value.cast_into::<PyBytes>() {
        Ok(bytes) => bytes,
        Err(other) => {
            let text = other.into_inner().cast_into::<PyString>().ok();
            let bytes = text.and_then(|text| text.encode_utf8().ok());
            bytes.unwrap_or_else(|| PyBytes::new(py, b"\xff"))
        }
    }
}
