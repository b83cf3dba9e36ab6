//! Strict and bounded JSON (RFC 8259). Any text takes three allocations.
//!
//! A [`Document`] owns the text and a flat list of nodes in the order of the text. A [`Value`] is a place in that list. Only
//! strings with escapes are copied.
//!
//! Where the RFC leaves a choice, the strict one is made: an object has each member name once (RFC 7515 §4, RFC 7519 §4),
//! nesting is bounded, numbers are finite as `f64`, and escaped surrogates come in pairs.

mod node;
mod parser;
mod quoted;

use core::fmt;

use self::node::{Node, Span, finite, index};
use super::error::{JsonError, ParseError};

pub use self::node::Duplicates;
pub(crate) use self::quoted::quoted;

/// A parsed JSON text.
#[derive(Clone)]
pub struct Document {
    text: String,
    /// The strings that had escapes, without them, one after the other.
    unescaped: String,
    nodes: Vec<Node>,
}

impl Document {
    /// Reads `bytes` as one JSON value with nothing but white space around it.
    pub fn parse(bytes: Vec<u8>, duplicates: Duplicates) -> Result<Self, JsonError> {
        let text = String::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
        if u32::try_from(text.len()).is_err() {
            return Err(JsonError::TooLong);
        }
        let (unescaped, nodes) = parser::parse(&text, duplicates)?;
        Ok(Self { text, unescaped, nodes })
    }

    /// The whole value.
    pub fn root(&self) -> Value<'_> {
        Value { document: self, node: 0 }
    }

    /// The whole value, if it is an object.
    pub fn object(&self) -> Option<Object<'_>> {
        self.root().as_object()
    }

    /// The text, as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn node(&self, index: usize) -> Node {
        self.nodes.get(index).copied().unwrap_or(Node::Null)
    }

    fn str(&self, span: Span) -> &str {
        let source = if span.unescaped { &self.unescaped } else { &self.text };
        source.get(index(span.start)..index(span.end)).unwrap_or_default()
    }

    /// The same, without a look at the boundaries of characters.
    fn bytes(&self, span: Span) -> &[u8] {
        let source = if span.unescaped { &self.unescaped } else { &self.text };
        source.as_bytes().get(index(span.start)..index(span.end)).unwrap_or_default()
    }

    /// The node after the one at `at` and after all that is inside it.
    fn behind(&self, at: usize) -> usize {
        match self.node(at) {
            Node::Array { end } | Node::Object { end, .. } => index(end),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => at + 1,
        }
    }
}

impl fmt::Debug for Document {
    /// Shows only the size: the content may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes)", self.text.len())
    }
}

/// A JSON text that is an object without duplicate members at any depth.
#[derive(Clone, Debug)]
pub struct JsonObject(Document);

impl JsonObject {
    /// Reads `bytes`.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ParseError> {
        let document = Document::parse(bytes, Duplicates::Refuse).map_err(ParseError::Json)?;
        if document.object().is_none() {
            return Err(ParseError::NotAnObject);
        }
        Ok(Self(document))
    }

    /// The object.
    pub fn object(&self) -> Object<'_> {
        Object(self.0.root())
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.object().get(name)
    }

    /// The value at a place that [`Value::place`] gave.
    pub(crate) fn at(&self, place: Place) -> Value<'_> {
        Value { document: &self.0, node: index(place.0) }
    }

    /// The JSON text, as it was received.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let Document { text, unescaped, nodes } = &self.0;
        text.capacity() + unescaped.capacity() + nodes.capacity() * size_of::<Node>()
    }
}

/// Where a value is in the object that gave it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(u32);

/// A value inside a [`Document`].
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    document: &'a Document,
    node: usize,
}

/// What a [`Value`] is.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "JSON has these kinds of values and no others")]
pub enum Kind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written.
    Number(Number<'a>),
    /// A string, without its escapes.
    String(&'a str),
    /// An array.
    Array(Array<'a>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// What it is.
    pub fn kind(self) -> Kind<'a> {
        match self.document.node(self.node) {
            Node::Null => Kind::Null,
            Node::Bool(value) => Kind::Bool(value),
            Node::Number(span) => Kind::Number(Number(self.document.str(span))),
            Node::String(span) => Kind::String(self.document.str(span)),
            Node::Array { .. } => Kind::Array(Array(self)),
            Node::Object { .. } => Kind::Object(Object(self)),
        }
    }

    /// The string, if it is one.
    pub fn as_str(self) -> Option<&'a str> {
        if let Node::String(span) = self.document.node(self.node) {
            Some(self.document.str(span))
        } else {
            None
        }
    }

    /// The number, if it is one. Always finite.
    pub fn as_f64(self) -> Option<f64> {
        self.as_number().and_then(Number::as_f64)
    }

    /// The number, as it is written, if it is one.
    pub(crate) fn as_number(self) -> Option<Number<'a>> {
        if let Node::Number(span) = self.document.node(self.node) {
            Some(Number(self.document.str(span)))
        } else {
            None
        }
    }

    /// The array, if it is one.
    pub fn as_array(self) -> Option<Array<'a>> {
        if let Kind::Array(array) = self.kind() { Some(array) } else { None }
    }

    /// The object, if it is one.
    pub fn as_object(self) -> Option<Object<'a>> {
        if let Kind::Object(object) = self.kind() { Some(object) } else { None }
    }

    /// Where it is in the object that gave it.
    pub(crate) fn place(self) -> Place {
        Place(node::place(self.node))
    }

    fn end(self) -> usize {
        self.document.behind(self.node)
    }
}

/// A number, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Number<'a>(&'a str);

impl<'a> Number<'a> {
    /// As written.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// The value, if it is written without fraction and exponent, and fits.
    pub fn as_i64(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// Whether it is written without fraction and exponent.
    pub fn is_integer(self) -> bool {
        !self.0.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
    }

    /// The nearest `f64`. Always finite.
    pub fn as_f64(self) -> Option<f64> {
        finite(self.0)
    }
}

/// An array inside a [`Document`].
#[derive(Clone, Copy, Debug)]
pub struct Array<'a>(Value<'a>);

impl<'a> Array<'a> {
    /// Its items, in order.
    pub fn items(self) -> impl Iterator<Item = Value<'a>> {
        let document = self.0.document;
        Children { document, at: self.0.node + 1, end: self.0.end() }
    }
}

/// An object inside a [`Document`].
#[derive(Clone, Copy, Debug)]
pub struct Object<'a>(Value<'a>);

impl<'a> Object<'a> {
    /// Its members, in order.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let mut children = self.children();
        core::iter::from_fn(move || Some((children.next()?.as_str()?, children.next()?)))
    }

    /// The same with the bytes of the names, which is enough to compare them.
    pub(crate) fn members_by_bytes(self) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
        let mut children = self.children();
        core::iter::from_fn(move || {
            let Node::String(name) = self.0.document.node(children.next()?.node) else { return None };
            Some((self.0.document.bytes(name), children.next()?))
        })
    }

    fn children(self) -> Children<'a> {
        Children { document: self.0.document, at: self.0.node + 1, end: self.0.end() }
    }

    /// Whether it has no members.
    pub fn is_empty(self) -> bool {
        self.members().next().is_none()
    }

    /// The member of this name, compared byte for byte.
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.members_by_bytes().find_map(|(key, value)| (key == name.as_bytes()).then_some(value))
    }

    /// Whether this object, or one inside it, has two members of one name. Only with [`Duplicates::Mark`].
    pub fn has_duplicates(self) -> bool {
        let Value { document, node } = self.0;
        (node..self.0.end()).any(|at| matches!(document.node(at), Node::Object { duplicates: true, .. }))
    }

    /// Whether this object itself has two members of one name. Only with [`Duplicates::Mark`].
    pub fn repeats_a_name(self) -> bool {
        matches!(self.0.document.node(self.0.node), Node::Object { duplicates: true, .. })
    }
}

struct Children<'a> {
    document: &'a Document,
    at: usize,
    end: usize,
}

impl<'a> Iterator for Children<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { document: self.document, node: self.at };
        self.at = self.document.behind(self.at);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn parse(text: &str) -> Result<Document, JsonError> {
        Document::parse(text.as_bytes().to_vec(), Duplicates::Refuse)
    }

    #[test]
    fn values_are_found_where_they_stand() {
        let document = parse(
            r#" {"a": [1, {"b": "x"}, []], "c\u0041": "q\n\ud83d\ude00z", "d": -1.5e2, "e": {}, "f": null} "#,
        )
        .unwrap();
        let object = document.object().unwrap();
        let names: Vec<_> = object.members().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "cA", "d", "e", "f"]);
        let items: Vec<_> = object.get("a").unwrap().as_array().unwrap().items().collect();
        assert_eq!(items.len(), 3);
        assert_eq!(items[1].as_object().unwrap().get("b").unwrap().as_str(), Some("x"));
        assert_eq!(object.get("cA").unwrap().as_str(), Some("q\n😀z"));
        assert_eq!(object.get("d").unwrap().as_f64(), Some(-150.0));
        assert!(matches!(object.get("f").unwrap().kind(), Kind::Null));
        assert!(object.get("b").is_none());
    }

    #[test]
    fn a_name_stands_once_however_it_is_spelled() {
        for bad in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"x":{"y":1,"z":2,"y":3}}]"#] {
            assert_eq!(parse(bad).unwrap_err(), JsonError::DuplicateMember, "{bad}");
        }
        let many: Vec<String> = (0..200).map(|i| format!("\"n{i}\":{{\"n0\":1}}")).collect();
        assert!(parse(&format!("{{{}}}", many.join(","))).is_ok());
        assert!(parse(&format!("{{{},\"n7\":1}}", many.join(","))).is_err());
    }

    #[test]
    fn duplicates_can_be_marked_instead() {
        let text = br#"{"keys":[{"a":1,"a":2},{"a":1}]}"#.to_vec();
        let document = Document::parse(text, Duplicates::Mark).unwrap();
        let keys = document.object().unwrap().get("keys").unwrap().as_array().unwrap();
        let marked: Vec<_> = keys.items().map(|key| key.as_object().unwrap().has_duplicates()).collect();
        assert_eq!(marked, [true, false]);
        assert!(document.object().unwrap().has_duplicates());
        assert!(!document.object().unwrap().repeats_a_name());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(limits::JSON_DEPTH)).is_ok());
        assert_eq!(parse(&nested(limits::JSON_DEPTH + 1)).unwrap_err(), JsonError::TooDeep);
        assert_eq!(parse(&"[".repeat(1_000_000)).unwrap_err(), JsonError::TooDeep);
    }

    #[test]
    fn numbers_are_finite() {
        for bad in ["1e309", "-1e999999999999", &"9".repeat(310)] {
            assert_eq!(parse(bad).unwrap_err(), JsonError::NumberOutOfRange, "{bad}");
        }
        for good in ["1e308", "-0", "0.0", "1E-400", &"9".repeat(308), "12345678901234567890"] {
            assert!(parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for bad in [
            "",
            " ",
            "{",
            "}",
            "[1,]",
            "{\"a\":1,}",
            "{'a':1}",
            "{a:1}",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "NaN",
            "-",
            "tru",
            "nul",
            "\"\\x\"",
            "\"\t\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"a",
            "[1 2]",
            "//",
            "{\"a\" 1}",
            "\u{feff}{}",
            "{}}",
            "1 2",
            "\"\\",
            "\"\\u",
            "[\"\\ud83d\\",
            "{\"a\":\u{a0}1}",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            Document::parse(vec![b'"', 0xff, b'"'], Duplicates::Refuse).unwrap_err(),
            JsonError::NotUtf8
        );
    }
}
