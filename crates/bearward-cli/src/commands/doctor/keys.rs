//! The published keys: which of them the engine can use. RFC 7517.

use std::collections::{HashMap, HashSet};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bearward_core::{
    documents::{KeyError, KeySet, KeySetError},
    jose::algorithm::{Algorithm, AlgorithmSet},
    limits,
};
use serde_json::{Map, Value, value::RawValue};

use super::{
    fetch::{self, Answer, Document, NoAnswer, timed},
    report::{Check, Checked},
};
use crate::terminal::{failure::Kind, output};

/// Members are cut to this length.
const LENGTH: usize = 100;

/// A published key set.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) document: Document,
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
pub(super) fn key_set(answer: Result<Answer, NoAnswer>) -> Checked<Published> {
    const NAME: &str = "key_set";
    let document = match fetch::document(NAME, "key set", answer) {
        Ok(document) => document,
        Err(check) => return (check, None),
    };
    let Some(keys) = keys(&document.body) else {
        let message = format!("{} is not a JSON object with an array of keys", document.url);
        let remedy = "jwks_uri in the tenant's discovery document must be the URL of its key set";
        return (Check::failed(NAME, Kind::Rejected, message, remedy), None);
    };
    let message = format!("{}, keys: {}", document.url, keys.len());
    timed(NAME, message, document.took, Published { document, keys })
}

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
            let kid_is_repeated = key.kid.as_ref().is_some_and(|kid| !kids.insert(kid.clone()));
            key.check(&judge(raw, algorithms), kid_is_repeated)
        })
        .collect()
}

/// Whether the engine accepts the set. One usable key is enough; unusable keys do no harm.
pub(super) fn verdict(published: &Published, algorithms: &AlgorithmSet) -> Checked<()> {
    const NAME: &str = "keys";
    let names: Vec<&str> = algorithms.iter().map(Algorithm::name).collect();
    let names = names.join(", ");
    match KeySet::parse(published.document.body.clone(), algorithms) {
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
            let remedy = format!("make the tenant sign with an algorithm that the API accepts ({names})");
            (Check::failed(NAME, Kind::Rejected, error.to_string(), remedy).with("usable", 0), None)
        }
    }
}

/// The engine's judgement of this key alone.
fn judge(raw: &RawValue, algorithms: &AlgorithmSet) -> Result<(), Unusable> {
    let alone = format!("{{\"keys\":[{}]}}", raw.get());
    match KeySet::parse(alone.into_bytes(), algorithms) {
        Ok(_) => Ok(()),
        Err(KeySetError::NoUsableKey(Some(error))) => Err(Unusable::Key(error)),
        Err(KeySetError::NoUsableKey(None)) => Err(Unusable::WithoutKid),
        Err(error) => Err(Unusable::Set(error)),
    }
}

#[derive(Debug)]
enum Unusable {
    Key(KeyError),
    /// Without a `kid`, or with one that is too long, no token can name the key.
    WithoutKid,
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

    fn check(&self, judgement: &Result<(), Unusable>, kid_is_repeated: bool) -> Check {
        const NAME: &str = "key";
        let shown = self.description();
        let check = match judgement {
            Ok(()) if kid_is_repeated => {
                let remedy = "give each key its own kid. The engine tries each of them; other verifiers may use the wrong one";
                Check::warning(NAME, format!("{shown}: another key has the same kid"), remedy)
            }
            Ok(()) => Check::ok(NAME, shown),
            Err(Unusable::Key(KeyError::NotForSignatures)) => {
                Check::skipped(NAME, format!("{shown}: not for signatures"))
            }
            Err(Unusable::Key(error @ (KeyError::Private | KeyError::Symmetric))) => {
                let remedy =
                    "anybody who reads the key set can sign tokens: revoke this key in the tenant now";
                Check::failed(NAME, Kind::Rejected, format!("{shown}: {error}"), remedy)
            }
            Err(Unusable::Key(error)) => Check::warning(NAME, format!("{shown}: {error}"), remedy(*error)),
            Err(Unusable::WithoutKid) => {
                let remedy = "give it a kid: tokens name their key by kid";
                Check::warning(NAME, format!("{shown}: without a kid, no token can name it"), remedy)
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
            .with("usable", judgement.is_ok())
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

const REPLACE: &str = "replace it in the tenant: tokens signed with it are refused";

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
        Key::read(&raw).check(&judge(&raw, &algorithms), false).to_string()
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
            (r#"{"kid":"a","kty":"RSA","d":"hush"}"#, "failed", "revoke this key in the tenant now"),
        ] {
            let shown = shown(key);
            assert!(shown.contains(status) && shown.contains(why), "{key}: {shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }
}
