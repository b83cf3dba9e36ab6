//! A nonce that a server requires in the next proof. RFC 9449 §8, §9.

use reqwest::header::HeaderMap;

/// The server's text, checked for the characters that a nonce may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nonce(String);

impl Nonce {
    /// The `DPoP-Nonce` of an answer. `None` if there are several, or if it is malformed.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut fields = headers.get_all("dpop-nonce").iter();
        let nonce = fields.next()?.to_str().ok()?;
        (fields.next().is_none() && is_nonce(nonce)).then(|| Self(nonce.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9449 §8.1: `nonce = 1*NQCHAR`, RFC 6749 appendix A: `NQCHAR = %x21 / %x23-5B / %x5D-7E`. It must be short enough to send back.
fn is_nonce(text: &str) -> bool {
    let character = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    (1..=2048).contains(&text.len()) && text.bytes().all(character)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn exactly_one_well_formed_nonce_is_taken() {
        let nonce = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("DPoP-Nonce", HeaderValue::from_static(value));
            }
            Nonce::of(&headers).map(|nonce| nonce.0)
        };
        assert_eq!(nonce(&["eyJ7S_zG.eyJH0-Z.HX4w-7v"]).as_deref(), Some("eyJ7S_zG.eyJH0-Z.HX4w-7v"));
        for none in [&[][..], &[""], &["a", "b"], &["a b"], &["a\"b"], &["a\\b"]] {
            assert_eq!(nonce(none), None, "{none:?}");
        }
    }
}
