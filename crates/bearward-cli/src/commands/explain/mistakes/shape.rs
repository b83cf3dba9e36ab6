//! Tokens that are damaged or of another format.

use bearward_core::jose::algorithm::Algorithm;

use super::mistake::Mistake;
use crate::commands::explain::facts::Case;

/// The start of every JSON object with members in base64url.
const OBJECT: &str = "eyJ";

/// The shortest RSA signature that is accepted: 2048 bits.
const RSA_SIGNATURE: usize = 256;

pub(super) fn opaque(case: &Case<'_>) -> Option<Mistake> {
    let token = &case.question.token;
    if !token.starts_with(OBJECT) {
        return None;
    }
    let segments = token.split('.').count();
    let mistake = if segments < 3 {
        Mistake::new(format!(
            "The token begins like a JWT, but has {segments} of 3 segments: it was cut off."
        ))
        .with_remedy("Copy all of it, with the part after the last dot.")
    } else {
        Mistake::new(format!("The token begins like a JWT, but has {segments} segments instead of 3."))
            .with_remedy("Copy it again: something was added.")
    };
    Some(mistake)
}

pub(super) fn cut_off(case: &Case<'_>) -> Option<Mistake> {
    let token = &case.question.token;
    if token.ends_with('…') || token.ends_with("...") {
        return Some(
            Mistake::new("The token ends in dots: it was copied from where it was shortened.".to_owned())
                .with_remedy("Copy it from where it is complete."),
        );
    }
    let algorithm = case.header.as_ref()?.get("alg")?.as_str().and_then(Algorithm::from_name)?;
    let needed = signature_bytes(algorithm);
    let signature = token.rsplit('.').next().unwrap_or_default();
    let bytes = signature.len() * 3 / 4;
    (bytes < needed).then(|| {
        let at_least = if needed == RSA_SIGNATURE { "at least " } else { "" };
        Mistake::new(format!(
            "The signature has {bytes} bytes, but one of {algorithm} has {at_least}{needed}: the token was cut off."
        ))
        .with_remedy("Copy all of it, with the part after the last dot.")
    })
}

/// RFC 7518 §3.3, §3.4, §3.5; RFC 8032 §5.1.6.
fn signature_bytes(algorithm: Algorithm) -> usize {
    match algorithm.name() {
        "ES256" | "EdDSA" | "Ed25519" => 64,
        "ES384" => 96,
        "ES512" => 132,
        _ => RSA_SIGNATURE,
    }
}
