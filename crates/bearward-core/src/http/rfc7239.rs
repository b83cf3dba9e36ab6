//! The field `Forwarded`. RFC 7239 §4.

/// What one proxy says about a request.
#[derive(Clone, Copy, Default)]
pub(super) struct Element<'a> {
    pub(super) proto: Option<&'a str>,
    pub(super) host: Option<&'a str>,
}

/// The elements of several field lines, in order. An element with a malformed pair, or with a parameter that is given twice,
/// says nothing. `None`: a quoted string doesn't end, so it is not known where an element ends.
pub(super) fn elements<'a>(lines: &[&'a str]) -> Option<Vec<Element<'a>>> {
    let mut elements = Vec::new();
    for line in lines {
        for element in split(line, ',')? {
            elements.push(Element::read(element).unwrap_or_default());
        }
    }
    Some(elements)
}

impl<'a> Element<'a> {
    /// `None`: it can't be believed.
    fn read(element: &'a str) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        let mut read = Self::default();
        for pair in split(element, ';')?.map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (name.to_ascii_lowercase(), value_of(value)?);
            if !is_token(&name) || names.contains(&name) {
                return None;
            }
            match name.as_str() {
                "proto" => read.proto = Some(value),
                "host" => read.host = Some(value),
                _ => {}
            }
            names.push(name);
        }
        Some(read)
    }
}

/// The parts between separators that are not inside a quoted string. `None` if such a string doesn't end.
pub(super) fn split(text: &str, separator: char) -> Option<impl Iterator<Item = &str>> {
    let mut quoted = false;
    let mut escaped = false;
    let mut ends = Vec::new();
    for (place, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == separator && !quoted => ends.push(place),
            _ => {}
        }
    }
    if quoted {
        return None;
    }
    ends.push(text.len());
    let mut start = 0;
    Some(ends.into_iter().map(move |end| {
        let part = text.get(start..end).unwrap_or_default();
        start = end + separator.len_utf8();
        part
    }))
}

/// A token, or the content of a quoted string. Escapes in it are not decoded: no host and no scheme has a backslash.
///
/// NOTE: `:`, `[` and `]` are accepted in a token, as proxies write `host=api.example.com:8443`.
fn value_of(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').filter(|inner| !inner.ends_with('\\')),
        None => is_token(&value.replace([':', '[', ']'], "")).then_some(value),
    }
}

/// RFC 9110 §5.6.2
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
