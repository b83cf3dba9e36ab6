//! The nodes that a JSON text is kept as.

/// What to do with an object that has two members of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// The text is refused.
    Refuse,
    /// The text is accepted, and [`Object::has_duplicates`](super::Object::has_duplicates) says so. For key sets, where one
    /// bad key must not spoil the others.
    Mark,
}

/// A part of the text, or of the strings that had escapes.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) unescaped: bool,
}

/// A value. What is inside an array or object follows it in the list of nodes.
#[derive(Clone, Copy)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Span),
    String(Span),
    /// `end`: the node after the last one inside.
    Array {
        end: u32,
    },
    Object {
        end: u32,
        duplicates: bool,
    },
}

/// Lossless: a text longer than `u32::MAX` is refused before it is parsed, and it has no more nodes than bytes.
pub(super) fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A place as an index. The inverse of [`place`].
pub(super) fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// The nearest `f64` to a number as it is written, if it is finite.
pub(super) fn finite(number: &str) -> Option<f64> {
    number.parse().ok().filter(|value: &f64| value.is_finite())
}
