//! Reads a JSON text by the grammar of RFC 8259, in one pass.

use super::super::error::JsonError;
use super::node::{Duplicates, Node, Span, finite, index, place};
use crate::limits;

/// The strings of `text` that had escapes, one after the other, and its nodes.
pub(super) fn parse(text: &str, duplicates: Duplicates) -> Result<(String, Vec<Node>), JsonError> {
    let bytes = text.as_bytes();
    let mut parser =
        Parser { text, bytes, unescaped: String::new(), nodes: Vec::with_capacity(48), duplicates };
    let end = parser.value(parser.solid(0), 0)?;
    if parser.solid(end) != bytes.len() {
        return Err(JsonError::TrailingData);
    }
    Ok((parser.unescaped, parser.nodes))
}

/// What reads a part of the text is given where that starts, and gives where it ends: so a place is in a register, not in
/// memory.
struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    unescaped: String,
    nodes: Vec<Node>,
    duplicates: Duplicates,
}

#[expect(
    clippy::inline_always,
    reason = "most of a token is short strings: calls and returns would be a tenth of the time"
)]
impl Parser<'_> {
    #[inline(always)]
    fn value(&mut self, at: usize, depth: usize) -> Result<usize, JsonError> {
        match self.bytes.get(at) {
            Some(b'"') => self.string(at),
            Some(b'{') => self.object(at, depth),
            Some(b'[') => self.array(at, depth),
            Some(b'-' | b'0'..=b'9') => self.number(at),
            Some(b't') => self.word(at, "true", Node::Bool(true)),
            Some(b'f') => self.word(at, "false", Node::Bool(false)),
            Some(b'n') => self.word(at, "null", Node::Null),
            _ => Err(syntax(at)),
        }
    }

    fn object(&mut self, at: usize, depth: usize) -> Result<usize, JsonError> {
        let opened = self.open(depth, Node::Object { end: 0, duplicates: false })?;
        let (mut marks, mut one_may_repeat) = (NameMarks::default(), false);
        let mut at = self.solid(at + 1);
        if self.bytes.get(at) != Some(&b'}') {
            loop {
                let name = at;
                at = self.string(name)?;
                one_may_repeat |= marks.add(self.bytes.get(name..at).unwrap_or_default());
                at = self.expect(self.solid(at), b':')?;
                at = self.value(self.solid(at), depth + 1)?;
                at = self.solid(at);
                if self.bytes.get(at) != Some(&b',') {
                    break;
                }
                at = self.solid(at + 1);
            }
        }
        let end = self.expect(at, b'}')?;
        self.close_object(opened, one_may_repeat)?;
        Ok(end)
    }

    fn array(&mut self, at: usize, depth: usize) -> Result<usize, JsonError> {
        let opened = self.open(depth, Node::Array { end: 0 })?;
        let mut at = self.solid(at + 1);
        if self.bytes.get(at) != Some(&b']') {
            loop {
                at = self.value(at, depth + 1)?;
                at = self.solid(at);
                if self.bytes.get(at) != Some(&b',') {
                    break;
                }
                at = self.solid(at + 1);
            }
        }
        let end = place(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(opened) {
            *node = Node::Array { end };
        }
        self.expect(at, b']')
    }

    fn open(&mut self, depth: usize, node: Node) -> Result<usize, JsonError> {
        if depth >= limits::JSON_DEPTH {
            return Err(JsonError::TooDeep);
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn close_object(&mut self, opened: usize, one_may_repeat: bool) -> Result<(), JsonError> {
        let end = place(self.nodes.len());
        // One name can be written in two ways only with escapes.
        let one_may_repeat = one_may_repeat || !self.unescaped.is_empty();
        let duplicates = one_may_repeat && self.has_duplicates(opened);
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
        let mut few: [&[u8]; FEW] = [b""; FEW];
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
        let mut names: Vec<&[u8]> = self.names(opened).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    }

    /// The member names of the object that was opened last and is about to be closed.
    fn names(&self, opened: usize) -> impl Iterator<Item = &[u8]> {
        let mut at = opened + 1;
        core::iter::from_fn(move || {
            let Some(Node::String(span)) = self.nodes.get(at) else { return None };
            at = match self.nodes.get(at + 1) {
                Some(Node::Array { end } | Node::Object { end, .. }) => index(*end),
                _ => at + 2,
            };
            Some(self.at(*span))
        })
    }

    fn at(&self, span: Span) -> &[u8] {
        let source = if span.unescaped { self.unescaped.as_bytes() } else { self.bytes };
        source.get(index(span.start)..index(span.end)).unwrap_or_default()
    }

    /// RFC 8259 §7
    #[inline(always)]
    fn string(&mut self, at: usize) -> Result<usize, JsonError> {
        let start = self.expect(at, b'"')?;
        let end = self.plain(start);
        match self.bytes.get(end) {
            Some(b'"') => {}
            Some(b'\\') => return self.string_with_escapes(start),
            _ => return Err(syntax(end)),
        }
        let span = Span { start: place(start), end: place(end), unescaped: false };
        self.nodes.push(Node::String(span));
        Ok(end + 1)
    }

    #[cold]
    fn string_with_escapes(&mut self, start: usize) -> Result<usize, JsonError> {
        let unescaped_start = place(self.unescaped.len());
        let mut at = start;
        loop {
            let end = self.plain(at);
            self.unescaped.push_str(self.text.get(at..end).unwrap_or_default());
            at = end;
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let (character, end) = self.escape(at + 1)?;
                    self.unescaped.push(character);
                    at = end;
                }
                _ => return Err(syntax(at)),
            }
        }
        let span = Span { start: unescaped_start, end: place(self.unescaped.len()), unescaped: true };
        self.nodes.push(Node::String(span));
        Ok(at + 1)
    }

    /// Where the next character is that means something in a string, or the end. Eight are looked at at a time.
    #[inline]
    fn plain(&self, start: usize) -> usize {
        let mut left = self.bytes.get(start..).unwrap_or_default();
        while let Some((eight, behind)) = left.split_first_chunk() {
            let special = special(u64::from_le_bytes(*eight));
            if special != 0 {
                return self.bytes.len() - left.len()
                    + usize::try_from(special.trailing_zeros() / 8).unwrap_or(0);
            }
            left = behind;
        }
        let is_plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
        self.bytes.len() - left.len() + left.iter().take_while(is_plain).count()
    }

    fn escape(&mut self, at: usize) -> Result<(char, usize), JsonError> {
        let character = match self.bytes.get(at) {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(*plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(at + 1),
            _ => return Err(syntax(at)),
        };
        Ok((character, at + 1))
    }

    /// What follows the `u`. A lone surrogate can't be written in UTF-8 and is refused.
    fn unicode_escape(&mut self, at: usize) -> Result<(char, usize), JsonError> {
        let first = self.four_digits(at)?;
        let at = at + 4;
        if !(0xd800..=0xdbff).contains(&first) {
            return char::from_u32(first).map(|character| (character, at)).ok_or(syntax(at));
        }
        let at = self.expect(self.expect(at, b'\\')?, b'u')?;
        let second = self.four_digits(at)?;
        let at = at + 4;
        if !(0xdc00..=0xdfff).contains(&second) {
            return Err(syntax(at));
        }
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(code).map(|character| (character, at)).ok_or(syntax(at))
    }

    fn four_digits(&mut self, at: usize) -> Result<u32, JsonError> {
        let digits = self.text.get(at..at + 4).ok_or(syntax(at))?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(syntax(at));
        }
        u32::from_str_radix(digits, 16).map_err(|_| syntax(at))
    }

    /// RFC 8259 §6
    fn number(&mut self, start: usize) -> Result<usize, JsonError> {
        let is = |at: usize, byte: u8| self.bytes.get(at) == Some(&byte);
        let mut at = if is(start, b'-') { start + 1 } else { start };
        at = if is(at, b'0') { at + 1 } else { self.digits(at)? };
        let integer_digits = at - start;
        if is(at, b'.') {
            at = self.digits(at + 1)?;
        }
        let exponent = is(at, b'e') || is(at, b'E');
        if exponent {
            at += 1;
            at = self.digits(if is(at, b'+') || is(at, b'-') { at + 1 } else { at })?;
        }
        // Every number of up to 308 digits is finite as f64.
        if (exponent || integer_digits > 308)
            && finite(self.text.get(start..at).unwrap_or_default()).is_none()
        {
            return Err(JsonError::NumberOutOfRange);
        }
        let span = Span { start: place(start), end: place(at), unescaped: false };
        self.nodes.push(Node::Number(span));
        Ok(at)
    }

    fn digits(&self, start: usize) -> Result<usize, JsonError> {
        let mut at = start;
        while matches!(self.bytes.get(at), Some(b'0'..=b'9')) {
            at += 1;
        }
        if at == start { Err(syntax(at)) } else { Ok(at) }
    }

    fn word(&mut self, at: usize, word: &str, node: Node) -> Result<usize, JsonError> {
        if !self.bytes.get(at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            return Err(syntax(at));
        }
        self.nodes.push(node);
        Ok(at + word.len())
    }

    /// Where the next character is that is no white space.
    #[inline(always)]
    fn solid(&self, mut at: usize) -> usize {
        while matches!(self.bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    }

    fn expect(&self, at: usize, byte: u8) -> Result<usize, JsonError> {
        if self.bytes.get(at) == Some(&byte) { Ok(at + 1) } else { Err(syntax(at)) }
    }
}

fn syntax(at: usize) -> JsonError {
    JsonError::Syntax { at }
}

/// Marks the first of eight bytes that is a quotation mark, a backslash or a control character, by its high bit. The first byte
/// is the lowest. There may be marks above that one, and none below.
fn special(eight: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let below = |bytes: u64, bound: u64| bytes.wrapping_sub(ONES * bound);
    let quotation = below(eight ^ (ONES * 0x22), 1);
    let backslash = below(eight ^ (ONES * 0x5c), 1);
    (quotation | backslash | below(eight, 0x20)) & !eight & (ONES << 7)
}

/// Tells names of an object apart without comparing them.
#[derive(Default)]
struct NameMarks {
    first: u64,
    second: u64,
}

impl NameMarks {
    /// Notes a name as it is written, with its quotation marks. Whether it may be one of those before: by its length and three
    /// of its bytes.
    fn add(&mut self, name: &[u8]) -> bool {
        let [_, first, .., _] = name else { return true };
        let byte = |at: usize| name.get(at).copied().unwrap_or(*first);
        let sample = u32::from_le_bytes([byte(name.len() - 2), byte(name.len() / 2), *first, 0]);
        let mixed =
            (u64::from(sample) << 8 | u64::from(place(name.len()))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (first, second) = (1 << (mixed >> 58), 1 << (mixed >> 52 & 63));
        let may_repeat = self.first & first != 0 && self.second & second != 0;
        self.first |= first;
        self.second |= second;
        may_repeat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_told_apart_without_comparing_them_and_equal_names_are_not() {
        let usual = "iss sub aud exp nbf iat jti azp scope permissions client_id org_id email cnf";
        let mut marks = NameMarks::default();
        let quoted: Vec<String> = usual.split(' ').map(|name| format!("\"{name}\"")).collect();
        assert!(!quoted.iter().any(|name| marks.add(name.as_bytes())));
        assert!(quoted.iter().all(|name| marks.add(name.as_bytes())));
        for name in ["", "x", "xy", &"x".repeat(1000)] {
            let name = format!("\"{name}\"");
            let mut marks = NameMarks::default();
            marks.add(name.as_bytes());
            assert!(marks.add(name.as_bytes()), "{name}");
        }
    }

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
                        let found = special(u64::from_le_bytes(eight)).trailing_zeros() / 8;
                        assert_eq!(usize::try_from(found).unwrap(), expected, "{eight:?}");
                    }
                }
            }
        }
    }
}
