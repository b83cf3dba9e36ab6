//! Padded base64 of the standard alphabet, canonical form only. RFC 4648 §4.

use super::base64url::{self, NotBase64Url};

/// Decodes `text`. White space, a missing `=` and the alphabet of base64url are refused.
pub fn decode(text: &str) -> Result<Vec<u8>, NotBase64Url> {
    let bare = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    if !text.len().is_multiple_of(4) || bare.contains(['-', '_']) {
        return Err(NotBase64Url);
    }
    base64url::decode(bare.replace('+', "-").replace('/', "_").as_bytes())
}

/// Encodes `bytes`, with padding.
pub fn encode(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_examples() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
            assert_eq!(encode(bytes.as_bytes()), text);
        }
        assert_eq!(decode("+/8=").unwrap(), [0xfb, 0xff]);
        assert_eq!(encode(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn only_one_spelling_is_taken() {
        for bad in
            ["Zg", "Zg=", "Zg===", "Zh==", "Zm9v====", "-_8=", "Z g=", "Zm9v\n", "=", "====", "Zg==Zg=="]
        {
            assert_eq!(decode(bad), Err(NotBase64Url), "{bad:?}");
        }
    }
}
