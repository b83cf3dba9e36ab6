//! Unpadded base64url, canonical form only. RFC 4648 §5, RFC 7515 §2.
//!
//! There is exactly one text for a sequence of bytes. Padding, white space, the standard alphabet and non-zero bits after the
//! last byte are refused, so a token can't be written in another way (RFC 4648 §3.5).

use base64_simd::URL_SAFE_NO_PAD;

/// A text that isn't canonical unpadded base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBase64Url;

/// Decodes `text`.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, NotBase64Url> {
    URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| NotBase64Url)
}

/// Encodes `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
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

    /// Of all lengths, since the decoder has other code for short texts, for long ones, and for the ends of both.
    #[test]
    fn one_bad_character_anywhere_is_seen() {
        for length in 1..130 {
            let good = encode(&vec![0x5a; length]);
            for place in 0..good.len() {
                for character in [b'=', b'+', b'/', b' ', b'.', 0, 0x80, 0xff] {
                    let mut bad = good.clone().into_bytes();
                    bad[place] = character;
                    assert_eq!(decode(&bad), Err(NotBase64Url), "{length} {place} {character}");
                }
            }
        }
    }

    #[test]
    fn what_is_decoded_is_encoded_as_the_same_text() {
        let alphabet = encode(&(0..=255).collect::<Vec<u8>>());
        for length in [0, 1, 2, 3, 4, 22, 43, 44, 86, 342] {
            for last in 0..=255 {
                let mut text = alphabet.as_bytes().iter().copied().cycle().take(length).collect::<Vec<u8>>();
                if let Some(end) = text.last_mut() {
                    *end = last;
                }
                if let Ok(bytes) = decode(&text) {
                    assert_eq!(encode(&bytes).as_bytes(), text);
                }
            }
        }
    }
}
