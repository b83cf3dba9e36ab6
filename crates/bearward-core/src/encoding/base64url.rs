//! Unpadded base64url, canonical form only. RFC 4648 §5, RFC 7515 §2.
//!
//! There is exactly one text for a sequence of bytes. Padding, white space, the standard alphabet and non-zero bits after the
//! last byte are refused, so a token can't be written in another way (RFC 4648 §3.5).

/// A text that isn't canonical unpadded base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBase64Url;

const BAD: u32 = 0xff00_0000;

/// Four tables, one for each place in a group of four characters. The six bits are already shifted to where they belong.
const TABLES: [[u32; 256]; 4] = [table(18), table(12), table(6), table(0)];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "evaluated at compile time, where an index out of range is an error; values below 64 and 256"
)]
const fn table(shift: u32) -> [u32; 256] {
    let mut table = [BAD; 256];
    let mut value = 0;
    while value < 64 {
        table[ALPHABET[value] as usize] = (value as u32) << shift;
        value += 1;
    }
    table
}

fn bits(place: usize, character: u8) -> u32 {
    TABLES.get(place).and_then(|table| table.get(usize::from(character))).copied().unwrap_or(BAD)
}

/// Decodes `text`.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, NotBase64Url> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let mut seen = 0;
    let mut groups = text.chunks_exact(4);
    for group in &mut groups {
        let &[a, b, c, d] = group else { return Err(NotBase64Url) };
        let group = bits(0, a) | bits(1, b) | bits(2, c) | bits(3, d);
        seen |= group;
        let [_, high, middle, low] = group.to_be_bytes();
        bytes.extend_from_slice(&[high, middle, low]);
    }
    // The characters after the last whole group, and their bits that belong to no byte.
    let (last, unused) = match groups.remainder() {
        [] => (0, 0),
        &[a, b] => (bits(0, a) | bits(1, b), 0x00_ffff),
        &[a, b, c] => (bits(0, a) | bits(1, b) | bits(2, c), 0x00_00ff),
        _ => return Err(NotBase64Url),
    };
    if (seen | last) & BAD != 0 || last & unused != 0 {
        return Err(NotBase64Url);
    }
    let [_, high, middle, _] = last.to_be_bytes();
    match groups.remainder().len() {
        2 => bytes.push(high),
        3 => bytes.extend_from_slice(&[high, middle]),
        _ => {}
    }
    Ok(bytes)
}

/// Encodes `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let first = group.first().copied().unwrap_or(0);
        let second = group.get(1).copied().unwrap_or(0);
        let third = group.get(2).copied().unwrap_or(0);
        let word = u32::from_be_bytes([0, first, second, third]);
        for place in 0..=group.len() {
            let six = (word >> [18, 12, 6, 0].get(place).copied().unwrap_or(0)) & 63;
            let character = usize::try_from(six).ok().and_then(|six| ALPHABET.get(six)).copied();
            text.push(char::from(character.unwrap_or(b'A')));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_examples() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
    }

    #[test]
    fn every_byte_in_every_place_comes_back() {
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|i| i.wrapping_mul(37).wrapping_add(length)).collect();
            assert_eq!(decode(encode(&bytes).as_bytes()).unwrap(), bytes);
        }
    }

    #[test]
    fn only_one_spelling_is_taken() {
        for bad in [
            "Z",
            "Zg==",
            "Zg=",
            "Zh",
            "Zm9",
            "Zm8=",
            "Zm9v=",
            "Z g",
            "Zg ",
            " Zg",
            "Zg\n",
            "+/8",
            "a+b/",
            "Zm9vYm\u{46}y\0",
            "\u{ff}\u{ff}",
            "Zm9v.",
            "AAAA*AAA",
            "\u{e9}A",
        ] {
            assert_eq!(decode(bad.as_bytes()), Err(NotBase64Url), "{bad:?}");
        }
    }

    #[test]
    fn one_bad_character_anywhere_is_seen() {
        let good = encode(&[0x5a; 30]);
        for place in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[place] = b'=';
            assert_eq!(decode(&bad), Err(NotBase64Url));
        }
    }
}
