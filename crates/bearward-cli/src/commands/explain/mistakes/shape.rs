//! Tokens that are not what they should be as texts.

use bearward_core::jose::algorithm::Algorithm;

use super::mistake::Mistake;
use crate::commands::explain::facts::Case;

/// How every JSON object that begins with a member begins in base64url.
const OBJECT: &str = "eyJ";

/// Shorter than any RSA signature that is taken: 2048 bits.
const RSA_SIGNATURE: usize = 256;

pub(super) fn opaque(case: &Case<'_>) -> Option<Mistake> {
    let token = &case.question.token;
    if !token.starts_with(OBJECT) {
        return None;
    }
    let segments = token.split('.').count();
    let mistake = if segments < 3 {
        Mistake::new(format!("The token begins as a JWT and has {segments} of 3 segments: it was cut off."))
            .with_remedy("Copy all of it: the part behind the last dot belongs to it.")
    } else {
        Mistake::new(format!("The token begins as a JWT and has {segments} segments instead of 3."))
            .with_remedy("Copy it again: something was added to it.")
    };
    Some(mistake)
}

pub(super) fn cut_off(case: &Case<'_>) -> Option<Mistake> {
    let token = &case.question.token;
    if token.ends_with('…') || token.ends_with("...") {
        return Some(
            Mistake::new("The token ends in dots: it was shortened where it was shown.".to_owned())
                .with_remedy("Copy all of it, from where it is not shortened."),
        );
    }
    let algorithm = case.header.as_ref()?.get("alg")?.as_str().and_then(Algorithm::from_name)?;
    let needed = signature_bytes(algorithm);
    let signature = token.rsplit('.').next().unwrap_or_default();
    let bytes = signature.len() * 3 / 4;
    (bytes < needed).then(|| {
        let at_least = if needed == RSA_SIGNATURE { " at least" } else { "" };
        Mistake::new(format!(
            "The signature has {bytes} bytes, and one of {algorithm} has {needed}{at_least}: the token was cut off."
        ))
        .with_remedy("Copy all of it: the part behind the last dot belongs to it.")
    })
}

/// RFC 7518 §3.3, §3.4, §3.5; RFC 8032 §5.1.6.
fn signature_bytes(algorithm: Algorithm) -> usize {
    match algorithm.name() {
        "ES256" | "EdDSA" => 64,
        "ES384" => 96,
        _ => RSA_SIGNATURE,
    }
}
