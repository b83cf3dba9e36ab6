//! The published keys: which of them the engine can use. RFC 7517.

use std::collections::{HashMap, HashSet};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bearward_core::{
    documents::{Candidates, KeyError, KeySet, KeySetError},
    jose::algorithm::{Algorithm, AlgorithmSet},
    limits,
};
use serde_json::{Map, Value, value::RawValue};

use super::{
    fetch::{Document, timed},
    report::{Check, Checked},
};
use crate::terminal::{failure::Kind, output};

/// Members are cut to this length.
const LENGTH: usize = 100;

/// A published key set.
#[derive(Debug)]
pub(super) struct Published {
    body: Vec<u8>,
    /// Each key's JSON text, unchanged, for the engine to judge.
    keys: Vec<Box<RawValue>>,
}

impl Published {
    /// How many keys come after the last one that the engine reads.
    fn unread(&self) -> usize {
        self.keys.len().saturating_sub(limits::KEYS_IN_SET)
    }
}

/// Whether there is a key set. The next checks read its keys.
pub(super) fn key_set(document: Document) -> Checked<Published> {
    let Some(keys) = keys(&document.body) else {
        let message = format!("{} is not a JSON object with an array of keys", document.url);
        let remedy = "jwks_uri in the issuer's discovery document must be the URL of its key set";
        return (Check::failed(NAME, Kind::Rejected, message, remedy), None);
    };
    let message = format!("{}, keys: {}", document.url, keys.len());
    timed(NAME, message, document.took, Published { body: document.body, keys })
}

/// The same, of the API's own settings.
pub(super) fn configured(file: &str, body: Vec<u8>) -> Checked<Published> {
    let Some(keys) = keys(&body) else {
        let message = format!("{file} is not a JSON object with an array of keys");
        return (Check::failed(NAME, Kind::Usage, message, "give a JWK set (RFC 7517 section 5)"), None);
    };
    (Check::ok(NAME, format!("{file}, keys: {}", keys.len())), Some(Published { body, keys }))
}

const NAME: &str = "key_set";

fn keys(body: &[u8]) -> Option<Vec<Box<RawValue>>> {
    let mut members: HashMap<String, Box<RawValue>> = serde_json::from_slice(body).ok()?;
    serde_json::from_str(members.remove("keys")?.get()).ok()
}

/// A check for each key that the engine reads.
pub(super) fn each(published: &Published, algorithms: &AlgorithmSet) -> Vec<Check> {
    if published.keys.is_empty() {
        return vec![Check::skipped("key", "the key set is empty")];
    }
    let mut kids = HashSet::new();
    let looked_at = published.keys.iter().take(limits::KEYS_IN_SET);
    looked_at
        .map(|raw| {
            let key = Key::read(raw);
            let naming = match &key.kid {
                Some(kid) if !kids.insert(kid.clone()) => Naming::Repeated,
                Some(_) => Naming::Own,
                None if is_the_only_one(raw, published, algorithms) => Naming::OnlyOne,
                None => Naming::Missing,
            };
            key.check(&judge(raw, algorithms), naming)
        })
        .collect()
}

/// Whether the engine accepts the set. One usable key is enough; unusable keys do no harm.
pub(super) fn verdict(published: &Published, algorithms: &AlgorithmSet) -> Checked<()> {
    const NAME: &str = "keys";
    let names: Vec<&str> = algorithms.iter().map(Algorithm::name).collect();
    let names = names.join(", ");
    match KeySet::parse(published.body.clone(), algorithms) {
        Ok(keys) => {
            let usable = keys.summary().filter(|(_, problem)| problem.is_none()).count();
            let message = format!("{usable} of {} can verify tokens ({names})", published.keys.len());
            let check = match published.unread() {
                0 => Check::ok(NAME, message),
                unread => {
                    let message = format!("{message}; the last {unread} are not read");
                    let remedy = format!("APIs read {} keys: publish no more", limits::KEYS_IN_SET);
                    Check::warning(NAME, message, remedy)
                }
            };
            (check.with("usable", usable).with("unread", published.unread()), Some(()))
        }
        Err(error) => {
            let remedy = format!("make the issuer sign with an algorithm that the API accepts ({names})");
            (Check::failed(NAME, Kind::Rejected, error.to_string(), remedy).with("usable", 0), None)
        }
    }
}

/// Whether tokens may be signed with this key, which has no `kid`: no other key fits the algorithm. RFC 7515 §4.1.4.
fn is_the_only_one(raw: &RawValue, published: &Published, algorithms: &AlgorithmSet) -> bool {
    let Ok(all) = KeySet::parse(published.body.clone(), algorithms) else { return false };
    let fits = |algorithm| judge(raw, &AlgorithmSet::new(algorithm, [])).is_ok();
    let alone = |algorithm| matches!(all.candidates(None, algorithm), Ok(Candidates::OnlyOne(_)));
    algorithms.iter().any(|algorithm| fits(algorithm) && alone(algorithm))
}

/// How tokens name a key.
#[derive(Clone, Copy)]
enum Naming {
    /// By its `kid`.
    Own,
    /// Another key has the same `kid`.
    Repeated,
    /// Not at all, but no other key fits.
    OnlyOne,
    /// Not at all, and other keys fit, too.
    Missing,
}

/// The engine's judgement of this key alone.
fn judge(raw: &RawValue, algorithms: &AlgorithmSet) -> Result<(), Unusable> {
    let alone = format!("{{\"keys\":[{}]}}", raw.get());
    match KeySet::parse(alone.into_bytes(), algorithms) {
        Ok(_) => Ok(()),
        Err(KeySetError::NoUsableKey(Some(error))) => Err(Unusable::Key(error)),
        Err(KeySetError::NoUsableKey(None)) => Err(Unusable::Unnameable),
        Err(error) => Err(Unusable::Set(error)),
    }
}

#[derive(Debug)]
enum Unusable {
    Key(KeyError),
    /// It is no object, or its `kid` is no text or too long.
    Unnameable,
    /// The key can't be read.
    Set(KeySetError),
}

/// What is shown of a key: all but its numbers.
struct Key {
    kid: Option<String>,
    members: Map<String, Value>,
}

impl Key {
    fn read(raw: &RawValue) -> Self {
        let members: Map<String, Value> = serde_json::from_str(raw.get()).unwrap_or_default();
        let kid = members.get("kid").and_then(Value::as_str).map(|kid| output::one_line(kid, LENGTH));
        Self { kid, members }
    }

    fn check(&self, judgement: &Result<(), Unusable>, naming: Naming) -> Check {
        const NAME: &str = "key";
        let shown = self.description();
        let check = match judgement {
            Ok(()) => match naming {
                Naming::Own => Check::ok(NAME, shown),
                Naming::OnlyOne => {
                    Check::ok(NAME, format!("{shown}: used, because no other key fits its algorithm"))
                }
                Naming::Repeated => {
                    let remedy = "give each key its own kid. The engine tries each of them; other verifiers may use the wrong one";
                    Check::warning(NAME, format!("{shown}: another key has the same kid"), remedy)
                }
                Naming::Missing => {
                    let remedy =
                        "give each key a kid: without one, a key is used only if no other fits its algorithm";
                    Check::warning(
                        NAME,
                        format!("{shown}: not used, because another key fits its algorithm, too"),
                        remedy,
                    )
                }
            },
            Err(Unusable::Key(KeyError::NotForSignatures)) => {
                Check::skipped(NAME, format!("{shown}: not for signatures"))
            }
            Err(Unusable::Key(error @ (KeyError::Private | KeyError::Symmetric))) => {
                let remedy =
                    "anybody who reads the key set can sign tokens: revoke this key in the issuer now";
                Check::failed(NAME, Kind::Rejected, format!("{shown}: {error}"), remedy)
            }
            Err(Unusable::Key(error)) => Check::warning(NAME, format!("{shown}: {error}"), remedy(*error)),
            Err(Unusable::Unnameable) => {
                Check::warning(NAME, format!("{shown}: not a key, or its kid can't be used"), REPLACE)
            }
            Err(Unusable::Set(error)) => Check::warning(NAME, format!("{shown}: {error}"), REPLACE),
        };
        check
            .with("kid", self.kid.clone())
            .with("kty", self.text("kty"))
            .with("bits", self.bits())
            .with("crv", self.text("crv"))
            .with("alg", self.text("alg"))
            .with("use", self.text("use"))
            .with("usable", judgement.is_ok() && !matches!(naming, Naming::Missing))
    }

    /// `kid abc, RSA 2048, alg RS256, use sig`
    fn description(&self) -> String {
        let mut parts = vec![format!("kid {}", self.kid.as_deref().unwrap_or("missing"))];
        let size = self.bits().map(|bits| bits.to_string()).or_else(|| self.text("crv"));
        let kind = self.text("kty").into_iter().chain(size).collect::<Vec<_>>().join(" ");
        parts.extend(Some(kind).filter(|kind| !kind.is_empty()));
        for member in ["alg", "use"] {
            parts.extend(self.text(member).map(|text| format!("{member} {text}")));
        }
        parts.join(", ")
    }

    fn text(&self, member: &str) -> Option<String> {
        Some(output::one_line(self.members.get(member)?.as_str()?, LENGTH))
    }

    /// The length of an RSA modulus.
    fn bits(&self) -> Option<usize> {
        let bytes = URL_SAFE_NO_PAD.decode(self.members.get("n")?.as_str()?).ok()?;
        let leading = usize::try_from(bytes.first()?.leading_zeros()).ok()?;
        Some(bytes.len().saturating_mul(8).saturating_sub(leading))
    }
}

const REPLACE: &str = "replace it in the issuer: tokens signed with it are refused";

fn remedy(error: KeyError) -> &'static str {
    if matches!(error, KeyError::OtherAlgorithm | KeyError::NoAlgorithm) {
        "if tokens are signed with it, the API must accept its algorithm (algorithms=..., here --algorithm)"
    } else {
        REPLACE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(key: &str) -> String {
        let raw = RawValue::from_string(key.to_owned()).unwrap();
        let algorithms = AlgorithmSet::new(Algorithm::RS256, []);
        Key::read(&raw).check(&judge(&raw, &algorithms), Naming::Own).to_string()
    }

    #[test]
    fn a_key_is_shown_without_its_numbers() {
        let modulus = format!("g{}Q", "A".repeat(340));
        let shown = shown(&format!(
            r#"{{"kid":"a","kty":"RSA","n":"{modulus}","e":"AQAB","alg":"RS256","use":"enc"}}"#
        ));
        assert!(shown.contains("kid a, RSA 2048, alg RS256, use enc: not for signatures"), "{shown}");
        assert!(shown.contains("skipped") && !shown.contains(&modulus), "{shown}");
    }

    #[test]
    fn it_is_shown_what_makes_a_key_unusable() {
        for (key, status, why) in [
            ("1", "warning", "kid missing: "),
            (r#"{"kty":"RSA"}"#, "warning", "kid missing, RSA: the key's member n is missing"),
            (
                r#"{"kid":"a","kty":"RSA","n":"AQ","e":"AQAB"}"#,
                "warning",
                "RSA 1: the RSA modulus has 1 bits",
            ),
            (r#"{"kid":"a","kty":"EC","crv":"P-256"}"#, "warning", "EC P-256: no allowed algorithm"),
            (r#"{"kid":"a","kid":"b","kty":"RSA"}"#, "warning", "occurs twice"),
            (r#"{"kid":"a","kty":"oct","k":"hush"}"#, "failed", "shared secret"),
            (r#"{"kid":"a","kty":"RSA","d":"hush"}"#, "failed", "revoke this key in the issuer now"),
        ] {
            let shown = shown(key);
            assert!(shown.contains(status) && shown.contains(why), "{key}: {shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }
}
