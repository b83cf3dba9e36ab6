//! The compact serialisation of a JWS: three segments. RFC 7515 §3.1, §7.1.

use memchr::memchr_iter;

use crate::encoding::ParseError;
use crate::encoding::base64url;
use crate::encoding::json::JsonObject;

/// The three segments of a compact JWS, still encoded.
#[derive(Clone, Copy)]
pub struct Segments<'a> {
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
    signing_input: &'a [u8],
}

/// A text that does not have the three segments of a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "five segments are a JWE (RFC 7516 §3.1), every other number is nothing"
)]
pub enum NotThreeSegments {
    /// Five: an encrypted token.
    Encrypted,
    /// Any other number, or an empty header.
    Opaque,
}

impl<'a> Segments<'a> {
    /// Cuts `token` at its dots.
    pub fn of(token: &'a str) -> Result<Self, NotThreeSegments> {
        Self::of_bytes(token.as_bytes())
    }

    /// The same of bytes that need not be a text. What can be decoded is one.
    pub(crate) fn of_bytes(token: &'a [u8]) -> Result<Self, NotThreeSegments> {
        // At most five dots are looked for, which is enough to see that there are more than four. A token of many dots
        // takes no time.
        let mut dots = memchr_iter(b'.', token).take(5);
        let (first, second, others) = (dots.next(), dots.next(), dots.count());
        let (Some(first @ 1..), Some(second)) = (first, second) else { return Err(NotThreeSegments::Opaque) };
        match others {
            0 => {}
            2 => return Err(NotThreeSegments::Encrypted),
            _ => return Err(NotThreeSegments::Opaque),
        }
        let cut = || {
            let (signing_input, signature) = token.split_at_checked(second)?;
            let (header, payload) = signing_input.split_at_checked(first)?;
            Some((header, payload.get(1..)?, signature.get(1..)?, signing_input))
        };
        let (header, payload, signature, signing_input) = cut().ok_or(NotThreeSegments::Opaque)?;
        Ok(Self { header, payload, signature, signing_input })
    }

    /// The header, still encoded.
    pub(crate) fn header_text(&self) -> &'a [u8] {
        self.header
    }

    /// The header, a JSON object.
    pub fn header(&self) -> Result<JsonObject, ParseError> {
        decode(self.header)
    }

    /// The payload, which for a JWT is a JSON object. RFC 7519 §7.2 step 10.
    pub fn payload(&self) -> Result<JsonObject, ParseError> {
        decode(self.payload)
    }

    /// The signature's bytes.
    pub fn signature(&self) -> Result<Vec<u8>, base64url::NotBase64Url> {
        base64url::decode(self.signature)
    }

    /// The signed part: header and payload as they were received, with the dot between them.
    pub fn signing_input(&self) -> &'a [u8] {
        self.signing_input
    }
}

fn decode(segment: &[u8]) -> Result<JsonObject, ParseError> {
    let bytes = base64url::decode(segment).map_err(|_| ParseError::NotBase64Url)?;
    JsonObject::parse(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_segments_are_a_jws() {
        for opaque in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e.f", "..", ".b.c", &".".repeat(100_000)] {
            assert_eq!(Segments::of(opaque).err(), Some(NotThreeSegments::Opaque), "{opaque:.20}");
        }
        assert_eq!(Segments::of("a.b.c.d.e").err(), Some(NotThreeSegments::Encrypted));
        let segments = Segments::of("e30.e30.").unwrap();
        assert_eq!(segments.signing_input(), b"e30.e30");
        assert!(segments.header().is_ok());
        assert_eq!(segments.signature().unwrap(), b"");
    }

    #[test]
    fn header_and_payload_are_objects() {
        // [] and a text that is not base64url
        assert_eq!(Segments::of("W10.e30.").unwrap().header().unwrap_err(), ParseError::NotAnObject);
        assert_eq!(Segments::of("e30.!.").unwrap().payload().unwrap_err(), ParseError::NotBase64Url);
    }
}
