//! Strict JSON (RFC 8259), bounded, in three allocations whatever the text holds.
//!
//! A [`Document`] owns the text and a flat list of nodes, one after the other in the order of the text; a [`Value`]
//! is a place in that list. Nothing is copied but strings with escapes.
//!
//! Stricter than the RFC where it leaves room: a member name stands once in an object (RFC 7515 §4, RFC 7519 §4),
//! nesting is bounded, numbers are finite as `f64`, escaped surrogates come in pairs.

use core::fmt;

use super::error::{JsonError, ParseError};
use crate::limits;

/// A parsed JSON text.
#[derive(Clone)]
pub struct Document {
    text: String,
    /// The strings that had escapes, one behind the other, as they read without.
    unescaped: String,
    nodes: Vec<Node>,
}

/// What to do with an object that has two members of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// The text is not taken.
    Refuse,
    /// The text is taken, and [`Object::has_duplicates`] tells. For key sets, where one bad key must not spoil the others.
    Mark,
}

#[derive(Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
    unescaped: bool,
}

#[derive(Clone, Copy)]
enum Node {
    Null,
    Bool(bool),
    Number(Span),
    String(Span),
    /// `end`: the node behind the last one inside.
    Array {
        end: u32,
    },
    Object {
        end: u32,
        duplicates: bool,
    },
}

impl Document {
    /// Reads `bytes` as one JSON value with nothing but white space around it.
    pub fn parse(bytes: Vec<u8>, duplicates: Duplicates) -> Result<Self, JsonError> {
        let text = String::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
        if u32::try_from(text.len()).is_err() {
            return Err(JsonError::TooLong);
        }
        let mut parser = Parser {
            bytes: text.as_bytes(),
            text: &text,
            at: 0,
            unescaped: String::new(),
            nodes: Vec::with_capacity(48),
            duplicates,
        };
        parser.value(0)?;
        parser.white_space();
        if parser.at != parser.bytes.len() {
            return Err(JsonError::TrailingData);
        }
        let (unescaped, nodes) = (parser.unescaped, parser.nodes);
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

    /// The node behind the one at `index` and all that is inside it.
    fn behind(&self, at: usize) -> usize {
        match self.node(at) {
            Node::Array { end } | Node::Object { end, .. } => index(end),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => at + 1,
        }
    }
}

impl fmt::Debug for Document {
    /// Only the size: what is inside may be personal.
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

    /// The JSON text, as it was received.
    pub fn text(&self) -> &str {
        self.0.text()
    }
}

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
        if let Kind::String(text) = self.kind() { Some(text) } else { None }
    }

    /// The number, if it is one. Always finite.
    pub fn as_f64(self) -> Option<f64> {
        if let Kind::Number(number) = self.kind() { number.as_f64() } else { None }
    }

    /// The array, if it is one.
    pub fn as_array(self) -> Option<Array<'a>> {
        if let Kind::Array(array) = self.kind() { Some(array) } else { None }
    }

    /// The object, if it is one.
    pub fn as_object(self) -> Option<Object<'a>> {
        if let Kind::Object(object) = self.kind() { Some(object) } else { None }
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

    /// The value if it is written without fraction and exponent and fits.
    pub fn as_i64(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// Whether it is written without fraction and exponent.
    pub fn is_integer(self) -> bool {
        !self.0.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
    }

    /// The nearest `f64`; always finite.
    pub fn as_f64(self) -> Option<f64> {
        self.0.parse().ok().filter(|value: &f64| value.is_finite())
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
        let document = self.0.document;
        let mut children = Children { document, at: self.0.node + 1, end: self.0.end() };
        core::iter::from_fn(move || Some((children.next()?.as_str()?, children.next()?)))
    }

    /// Whether it has no members.
    pub fn is_empty(self) -> bool {
        self.members().next().is_none()
    }

    /// The member of this name, compared byte for byte.
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.members().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Whether a name stands twice here or in an object inside. Only under [`Duplicates::Mark`].
    pub fn has_duplicates(self) -> bool {
        let Value { document, node } = self.0;
        (node..self.0.end()).any(|at| matches!(document.node(at), Node::Object { duplicates: true, .. }))
    }

    /// Whether a name stands twice among its own members. Only under [`Duplicates::Mark`].
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

struct Parser<'t> {
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
    unescaped: String,
    nodes: Vec<Node>,
    duplicates: Duplicates,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        self.white_space();
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'n') => self.word("null", Node::Null),
            _ => Err(self.syntax()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonError> {
        let opened = self.open(depth, Node::Object { end: 0, duplicates: false })?;
        if !self.next_is(b'}') {
            loop {
                self.white_space();
                self.string()?;
                self.white_space();
                self.expect(b':')?;
                self.value(depth + 1)?;
                if self.next_is(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        self.close_object(opened)
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        let opened = self.open(depth, Node::Array { end: 0 })?;
        if !self.next_is(b']') {
            loop {
                self.value(depth + 1)?;
                if self.next_is(b']') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        let end = place(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(opened) {
            *node = Node::Array { end };
        }
        Ok(())
    }

    fn open(&mut self, depth: usize, node: Node) -> Result<usize, JsonError> {
        if depth >= limits::JSON_DEPTH {
            return Err(JsonError::TooDeep);
        }
        self.at += 1;
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn close_object(&mut self, opened: usize) -> Result<(), JsonError> {
        let end = place(self.nodes.len());
        let duplicates = self.has_duplicates(opened);
        if duplicates && self.duplicates == Duplicates::Refuse {
            return Err(JsonError::DuplicateMember);
        }
        if let Some(node) = self.nodes.get_mut(opened) {
            *node = Node::Object { end, duplicates };
        }
        Ok(())
    }

    /// Few names are compared each with each, many are sorted first: no hashing, and never quadratic.
    fn has_duplicates(&self, opened: usize) -> bool {
        const FEW: usize = 24;
        let mut few = [""; FEW];
        for (count, name) in self.names(opened).enumerate() {
            if few.get(..count).is_some_and(|seen| seen.contains(&name)) {
                return true;
            }
            let Some(free) = few.get_mut(count) else { return self.has_duplicates_sorted(opened) };
            *free = name;
        }
        false
    }

    fn has_duplicates_sorted(&self, opened: usize) -> bool {
        let mut names: Vec<&str> = self.names(opened).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    }

    /// The member names of the object that was opened last and is about to be closed.
    fn names(&self, opened: usize) -> impl Iterator<Item = &str> {
        let mut at = opened + 1;
        core::iter::from_fn(move || {
            let Some(Node::String(span)) = self.nodes.get(at) else { return None };
            at = match self.nodes.get(at + 1) {
                Some(Node::Array { end } | Node::Object { end, .. }) => index(*end),
                _ => at + 2,
            };
            let source = if span.unescaped { &self.unescaped } else { self.text };
            source.get(index(span.start)..index(span.end))
        })
    }

    /// RFC 8259 §7
    fn string(&mut self) -> Result<(), JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => return self.string_with_escapes(start),
                Some(0x20..) => self.at += 1,
                _ => return Err(self.syntax()),
            }
        }
        let span = Span { start: place(start), end: place(self.at), unescaped: false };
        self.nodes.push(Node::String(span));
        self.at += 1;
        Ok(())
    }

    fn string_with_escapes(&mut self, start: usize) -> Result<(), JsonError> {
        let unescaped_start = place(self.unescaped.len());
        let mut plain = start;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.keep_plain(plain);
                    self.at += 1;
                    let character = self.escape()?;
                    self.unescaped.push(character);
                    plain = self.at;
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.syntax()),
            }
        }
        self.keep_plain(plain);
        let span = Span { start: unescaped_start, end: place(self.unescaped.len()), unescaped: true };
        self.nodes.push(Node::String(span));
        self.at += 1;
        Ok(())
    }

    fn keep_plain(&mut self, start: usize) {
        self.unescaped.push_str(self.text.get(start..self.at).unwrap_or_default());
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let character = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.syntax()),
        };
        self.at += 1;
        Ok(character)
    }

    /// Stands on the `u`. A lone surrogate has no UTF-8 and is refused.
    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.four_digits()?;
        let code = match first {
            0xd800..=0xdbff => {
                self.expect(b'\\')?;
                if self.peek() != Some(b'u') {
                    return Err(self.syntax());
                }
                let second = self.four_digits()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.syntax());
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            other => other,
        };
        char::from_u32(code).ok_or(self.syntax())
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        self.at += 1;
        let digits = self.text.get(self.at..self.at + 4).ok_or(self.syntax())?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(self.syntax());
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.syntax())
    }

    /// RFC 8259 §6
    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        let integer_digits = self.at - start;
        let mut exponent = false;
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            exponent = true;
            let _sign = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        let span = Span { start: place(start), end: place(self.at), unescaped: false };
        // An f64 holds every number of up to 308 digits.
        if (exponent || integer_digits > 308)
            && Number(self.text.get(start..self.at).unwrap_or_default()).as_f64().is_none()
        {
            return Err(JsonError::NumberOutOfRange);
        }
        self.nodes.push(Node::Number(span));
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.syntax()) } else { Ok(()) }
    }

    fn word(&mut self, word: &str, node: Node) -> Result<(), JsonError> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            return Err(self.syntax());
        }
        self.at += word.len();
        self.nodes.push(node);
        Ok(())
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.at += 1;
        }
        there
    }

    fn next_is(&mut self, byte: u8) -> bool {
        self.white_space();
        self.skip(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.skip(byte) { Ok(()) } else { Err(self.syntax()) }
    }

    fn syntax(&self) -> JsonError {
        JsonError::Syntax { at: self.at }
    }
}

/// Lossless: a text longer than `u32::MAX` is refused before it is parsed, and it has no more nodes than bytes.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

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
