//! How texts are written into others: JSON strings and percent-encoding.

use core::fmt::Write as _;

/// A JSON string. RFC 8259 §7.
pub(crate) fn push_text(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\u{1f}' => {
                let _infallible = write!(json, "\\u{:04x}", u32::from(character));
            }
            other => json.push(other),
        }
    }
    json.push('"');
}

/// Every byte that is not to be kept as `%XX`. RFC 3986 §2.1.
pub(crate) fn percent_encoded(text: &str, is_kept: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_kept(byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A value in `application/x-www-form-urlencoded`.
pub(crate) fn form_encoded(text: &str) -> String {
    percent_encoded(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_'))
}

/// A body in `application/x-www-form-urlencoded`.
pub(crate) fn form<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = fields.map(|(name, value)| format!("{}={}", form_encoded(name), form_encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_encoded_byte_by_byte() {
        let printable = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'%';
        assert_eq!(form([("a b", "c&d=e+f"), ("g", "")].into_iter()), "a%20b=c%26d%3De%2Bf&g=");
        assert_eq!(percent_encoded("100% a\n\u{e9}", printable), "100%25 a%0A%C3%A9");
    }
}
