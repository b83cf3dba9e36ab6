//! Reads a JSON text by the grammar of RFC 8259, in one pass.

use super::super::error::JsonError;
use super::node::{Duplicates, Node, Span, finite, index, place};
use crate::limits;

/// How many of eight bytes come before a quotation mark, a backslash or a control character; the first byte is the lowest.
fn first_special(eight: u64) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES << 7;
    // The high bit of a byte that is zero; of one above it perhaps, too, but never of one below it.
    let zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & HIGHS;
    let quotation = zero(eight ^ (ONES * 0x22));
    let backslash = zero(eight ^ (ONES * 0x5c));
    let control = zero(eight & (ONES * 0xe0));
    usize::try_from((quotation | backslash | control).trailing_zeros() / 8).unwrap_or(0)
}

/// The strings of `text` that had escapes, one after the other, and its nodes.
pub(super) fn parse(text: &str, duplicates: Duplicates) -> Result<(String, Vec<Node>), JsonError> {
    let mut parser = Parser {
        bytes: text.as_bytes(),
        text,
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
    Ok((parser.unescaped, parser.nodes))
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

    /// A few names are compared with each other. Many names are sorted first, so the time is never quadratic.
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
        self.plain();
        match self.peek() {
            Some(b'"') => {}
            Some(b'\\') => return self.string_with_escapes(start),
            _ => return Err(self.syntax()),
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
                Some(0x20..) => self.plain(),
                _ => return Err(self.syntax()),
            }
        }
        self.keep_plain(plain);
        let span = Span { start: unescaped_start, end: place(self.unescaped.len()), unescaped: true };
        self.nodes.push(Node::String(span));
        self.at += 1;
        Ok(())
    }

    /// Goes to the next character that means something in a string, eight at a time.
    fn plain(&mut self) {
        while let Some(eight) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            match first_special(u64::from_le_bytes(*eight)) {
                8 => self.at += 8,
                plain => {
                    self.at += plain;
                    return;
                }
            }
        }
        while matches!(self.peek(), Some(byte) if byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
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

    /// The next character is the `u`. A lone surrogate can't be written in UTF-8 and is refused.
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
        // Every number of up to 308 digits is finite as f64.
        if (exponent || integer_digits > 308)
            && finite(self.text.get(start..self.at).unwrap_or_default()).is_none()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_character_with_a_meaning_is_found_wherever_it_is() {
        let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        for plain in [b'a', 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0x9f, 0xa2, 0xdc, 0xff] {
            for at in 0..8 {
                for byte in 0..=255 {
                    for behind in [plain, b'"', 0] {
                        let mut eight = [plain; 8];
                        eight[at] = byte;
                        eight[at + 1..].fill(behind);
                        let expected = eight.iter().position(|byte| is_special(*byte)).unwrap_or(8);
                        assert_eq!(first_special(u64::from_le_bytes(eight)), expected, "{eight:?}");
                    }
                }
            }
        }
    }
}
