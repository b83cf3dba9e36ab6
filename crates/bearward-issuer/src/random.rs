//! Identifiers and secrets from the operating system's random numbers.

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

fn bytes<const BYTES: usize>() -> Result<[u8; BYTES], Unspecified> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(bytes)
}
