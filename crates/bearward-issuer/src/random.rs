//! Identifiers, codes and secrets from the operating system's random numbers.

use std::fmt::Write as _;

use aws_lc_rs::error::Unspecified;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// `2 * BYTES` lower-case hex digits: safe in a shell and on a command line, where a leading `-` is not.
pub(crate) fn hex<const BYTES: usize>() -> Result<String, Unspecified> {
    let mut text = String::with_capacity(BYTES.saturating_mul(2));
    for byte in bytes::<BYTES>()? {
        write!(text, "{byte:02x}").map_err(|_| Unspecified)?;
    }
    Ok(text)
}

/// A key's identifier as Auth0 makes them: short, random, base64url.
pub(crate) fn kid() -> Result<String, Unspecified> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<16>()?))
}

/// A code for a person to type, such as `WDJB-MJHT`: the twenty letters that make no words. RFC 8628 §6.1.
pub(crate) fn user_code() -> Result<String, Unspecified> {
    const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
    let mut letters = String::with_capacity(9);
    while letters.len() < 9 {
        if letters.len() == 4 {
            letters.push('-');
        }
        let [byte] = bytes::<1>()?;
        // As many bytes for each letter: those beyond the last whole twenty are thrown away.
        if let Some(letter) = LETTERS.get(usize::from(byte % 20)).filter(|_| byte < 240) {
            letters.push(char::from(*letter));
        }
    }
    Ok(letters)
}

fn bytes<const BYTES: usize>() -> Result<[u8; BYTES], Unspecified> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_codes_are_two_groups_of_letters() {
        let code = user_code().unwrap();
        let (one, two) = code.split_once('-').unwrap();
        assert_eq!((one.len(), two.len()), (4, 4));
        assert!((one.to_owned() + two).chars().all(|c| c.is_ascii_uppercase() && !"AEIOUY".contains(c)));
        assert_ne!(code, user_code().unwrap());
    }
}
