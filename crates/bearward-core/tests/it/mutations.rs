//! Changed proofs, tokens, URLs and fields: nothing panics, and whatever is changed is refused.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bearward_core::UnixTime;
use bearward_core::http::forwarded::{ForwardedFields, PublicUrl, Target, public_url};
use bearward_core::http::url::same_target;
use bearward_core::issuer::metadata::Metadata;
use bearward_core::issuer::{IssuerUrl, PrivateAddresses};
use serde_json::Value;

use crate::cases::{cases, versions};
use crate::engine::{self, Engine, facts, text, word};
use crate::third_party::encoded;

/// The good request of a vector, without replay protection, so that it can be sent again and again.
struct Good {
    engine: Engine,
    now: UnixTime,
    method: String,
    url: String,
    authorization: String,
    proof: String,
}

impl Good {
    fn new() -> Self {
        let mut case = cases()["dpop_scheme/bound_token_with_proof_is_accepted"].clone();
        case["policy"]["dpop_replay"] = "off".into();
        let mut engine = Engine::new(engine::policy(&case["policy"]));
        for (url, document) in case["documents"].as_object().unwrap() {
            engine.serve(url, versions(document));
        }
        let request = &case["request"];
        let mut good = Self {
            engine,
            now: engine::time(&case["now"]),
            method: text(&request["method"]).to_owned(),
            url: text(&request["url"]).to_owned(),
            authorization: text(&request["headers"][0][1]).to_owned(),
            proof: text(&request["headers"][1][1]).to_owned(),
        };
        let (authorization, proof) = (good.authorization.clone(), good.proof.clone());
        assert_eq!(good.word(authorization.as_bytes(), proof.as_bytes()), "verified");
        good
    }

    fn word(&mut self, authorization: &[u8], proof: &[u8]) -> &'static str {
        let fields = [("Authorization", authorization), ("DPoP", proof)];
        word(&self.engine.request(&facts(&fields, &self.method, &self.url), self.now))
    }

    /// The proof with another payload, signed as it should be.
    fn signed(&self, key: &EcdsaKeyPair, payload: &[u8]) -> String {
        let header = self.proof.split('.').next().unwrap();
        let message = format!("{header}.{}", encoded(payload));
        let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", encoded(signature.as_ref()))
    }
}

#[test]
fn a_proof_with_any_byte_changed_is_refused() {
    let mut good = Good::new();
    let (authorization, proof) = (good.authorization.clone(), good.proof.clone().into_bytes());
    for changed in one_byte_changes(&proof, &mut Random(1)) {
        assert_ne!(good.word(authorization.as_bytes(), &changed), "verified", "{}", lossy(&changed));
    }
}

#[test]
fn a_token_with_any_byte_changed_is_refused() {
    let mut good = Good::new();
    let (authorization, proof) = (good.authorization.clone(), good.proof.clone());
    let token = authorization.strip_prefix("DPoP ").unwrap().as_bytes();
    for changed in one_byte_changes(token, &mut Random(2)) {
        let field = [b"DPoP ", changed.as_slice()].concat();
        assert_ne!(good.word(&field, proof.as_bytes()), "verified", "{}", lossy(&changed));
    }
}

#[test]
fn junk_in_the_fields_is_refused() {
    let mut good = Good::new();
    let (authorization, proof) = (good.authorization.clone(), good.proof.clone());
    let mut random = Random(3);
    for _ in 0..5000 {
        let field = random.mutation(authorization.as_bytes());
        let other = random.mutation(proof.as_bytes());
        good.word(&field, proof.as_bytes());
        good.word(authorization.as_bytes(), &other);
        assert_ne!(good.word(&field, &other), "verified", "{} {}", lossy(&field), lossy(&other));
    }
}

/// The client itself is the attacker here: it signs what it likes.
#[test]
fn signed_junk_is_let_in_only_if_it_says_the_same() {
    let mut good = Good::new();
    let key = client_key();
    let authorization = good.authorization.clone();
    let payload = good.proof.split('.').nth(1).unwrap();
    let payload = bearward_core::encoding::base64url::decode(payload.as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let mut random = Random(4);
    let mut verified = 0;
    for _ in 0..5000 {
        let changed = random.mutation(&payload);
        let proof = good.signed(&key, &changed);
        if good.word(authorization.as_bytes(), proof.as_bytes()) != "verified" {
            continue;
        }
        verified += 1;
        let said: Value = serde_json::from_slice(&changed).unwrap();
        assert_eq!((&said["htm"], &said["ath"]), (&claims["htm"], &claims["ath"]), "{}", lossy(&changed));
        assert!(said["jti"].as_str().is_some_and(|jti| !jti.is_empty()), "{}", lossy(&changed));
        let apart = said["iat"].as_f64().unwrap() - claims["iat"].as_f64().unwrap();
        assert!((-300.0..=30.0).contains(&apart), "{}", lossy(&changed));
        // A query or a fragment may have been added.
        let htu = text(&said["htu"]);
        assert!(htu.len() + 3 >= text(&claims["htu"]).len() && same_target(htu, &good.url), "{htu}");
    }
    assert!(verified > 10, "some changes don't matter: {verified}");
}

#[test]
fn changed_urls_match_only_what_means_the_same() {
    let seeds = [
        "https://api.example.com/a/b",
        "http://[2001:db8::1]:8080/x/../y/%7Eu?q=1#f",
        "https://h:443//a%2Fb/./%2e%2e/c;d=e,f",
    ];
    let mut random = Random(5);
    for round in 0..20_000 {
        let seed = seeds[round % seeds.len()];
        let bytes = random.mutation(seed.as_bytes());
        let Ok(changed) = std::str::from_utf8(&bytes) else { continue };
        let (there, back) = (same_target(changed, seed), same_target(seed, changed));
        // Any query will do in a request; in a proof it has to be one.
        let target = changed.split('?').next().unwrap_or_default();
        if there || back {
            let itself = if there { changed } else { target };
            assert!(same_target(itself, itself), "{itself:?} matches {seed:?} and not itself");
            let same_authority = |text: &str| text.split('/').nth(2).unwrap_or_default().len();
            assert!(same_authority(changed).abs_diff(same_authority(seed)) <= 8, "{changed:?} {seed:?}");
        }
        // Dot segments are the one thing that is not the same both ways.
        let dots = |text: &str| text.contains("/.") || text.to_ascii_lowercase().contains("%2e");
        let there = there || same_target(target, seed);
        assert!(there == back || dots(changed) || dots(seed), "{changed:?} {seed:?}");
    }
}

#[test]
fn no_forwarded_field_puts_more_than_a_host_into_the_url() {
    let mut random = Random(6);
    let target = Target { scheme: "http", host: "inner:8000", raw_path: "/f", root_path: "", query: "" };
    let proxies = PublicUrl::FromProxies { trusted_hops: NonZeroUsize::MIN };
    for _ in 0..20_000 {
        let [host, proto, prefix, forwarded] =
            ["api.example.com:8443, b", "https,http", "/api/v1, /x", "for=[::1];host=\"h:1\";proto=https"]
                .map(|seed| lossy(&random.mutation(seed.as_bytes())));
        let fields = if random.below(2) == 0 {
            ForwardedFields {
                host: vec![&host],
                proto: vec![&proto],
                prefix: vec![&prefix],
                ..ForwardedFields::default()
            }
        } else {
            ForwardedFields { forwarded: vec![&forwarded], ..ForwardedFields::default() }
        };
        let url = public_url(&target, &fields, &proxies);
        assert!(url.starts_with("http://") || url.starts_with("https://"), "{url:?}");
        assert!(url.ends_with("/f") && !url.contains(['?', '#', '\\', ' ']), "{url:?}");
        assert!(!url.split('/').nth(2).unwrap().contains('@'), "{url:?}");
        assert!(same_target(&url, &url), "{url:?}");
    }
}

/// Every place, each with three other bytes, doubled, and left out.
fn one_byte_changes(text: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for place in 0..text.len() {
        let byte = text[place];
        let any = random.byte();
        for other in [byte ^ 1, byte ^ 0x20, if any == byte { b'.' } else { any }] {
            let mut changed = text.to_vec();
            changed[place] = other;
            all.push(changed);
        }
        all.push([&text[..=place], &text[place..]].concat());
        all.push([&text[..place], &text[place + 1..]].concat());
    }
    all
}

/// The key of `vectors/keys`, which is worthless.
fn client_key() -> EcdsaKeyPair {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/keys/client-ec-p256.pem");
    let pem = fs::read_to_string(path).unwrap();
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pkcs8 = BASE64_STANDARD.decode(lines).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `SplitMix64`: the same numbers each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// `text` with one to three changes: a byte replaced, put in or left out, a piece doubled or moved.
    fn mutation(&mut self, text: &[u8]) -> Vec<u8> {
        const PIECES: [&[u8]; 16] = [
            b".", b",", b"/", b"//", b"..", b"%2e", b"%2F", b"?", b"#", b"@", b":", b"\\", b"\"", b" ",
            b"\0", b"\xff",
        ];
        let mut changed = text.to_vec();
        for _ in 0..=self.below(3) {
            let place = self.below(changed.len() + 1);
            let end = (place + self.below(9)).min(changed.len());
            match self.below(5) {
                0 if place < changed.len() => changed[place] = self.byte(),
                1 => drop(changed.drain(place..end)),
                2 => {
                    let piece = changed[place..end].to_vec();
                    let other = self.below(changed.len() + 1);
                    changed.splice(other..other, piece);
                }
                3 => changed.insert(place, self.byte()),
                _ => drop(changed.splice(place..place, PIECES[self.below(PIECES.len())].iter().copied())),
            }
        }
        changed
    }
}

/// Issuers that have to be spelled exactly so: with a path, with a slash alone, and with neither.
const EXACT: [&str; 3] =
    ["https://kc.example.com:8443/realms/Acme%20b/", "https://ids.example.com/", "https://ids.example.com"];

/// `iss` is compared with the configured issuer before anything else: no key is needed to see that.
#[test]
fn an_exact_issuer_with_any_byte_of_iss_changed_is_another_one() {
    let mut case = cases()["exact_issuer/issuer_with_path_is_accepted"].clone();
    let now = engine::time(&case["now"]);
    let header = text(&case["request"]["headers"][0][1]).split(['.', ' ']).nth(1).unwrap().to_owned();
    for (spelled, single) in EXACT.into_iter().flat_map(|spelled| [(spelled, true), (spelled, false)]) {
        case["policy"]["issuers"] = serde_json::json!([spelled]);
        case["policy"]["single_issuer"] = single.into();
        let mut engine = Engine::new(engine::policy(&case["policy"]));
        let mut judge = |iss: &[u8]| {
            let payload = [br#"{"iss":""#, iss, br#""}"#].concat();
            let outcome = word(&engine.bearer(&format!("{header}.{}.AA", encoded(&payload)), now));
            (outcome, std::mem::take(&mut engine.fetched).len())
        };
        let (outcome, fetches) = judge(spelled.as_bytes());
        assert_eq!(outcome, "unavailable", "the document can't be fetched");
        assert!(fetches > 0, "but it is asked for");
        for changed in changes_of(spelled) {
            let (outcome, fetches) = judge(&changed);
            let refused = ["other_issuer", "issuer_not_allowed", "issuer_malformed", "malformed_payload"];
            assert!(refused.contains(&outcome) && fetches == 0, "{outcome}: {}", lossy(&changed));
        }
    }
}

#[test]
fn a_discovery_document_with_any_byte_of_its_issuer_changed_is_another_s() {
    for spelled in EXACT {
        let issuer = IssuerUrl::exact(spelled).unwrap();
        let read = |named: &[u8]| {
            let document =
                [br#"{"issuer":""#, named, br#"","jwks_uri":"https://a.example.com/jwks"}"#].concat();
            Metadata::parse(document, &issuer, PrivateAddresses::Refused)
        };
        assert_eq!(read(spelled.as_bytes()).unwrap().issuer(), spelled);
        for changed in changes_of(spelled) {
            assert!(read(&changed).is_err(), "{}", lossy(&changed));
        }
    }
}

/// Every place, each with every other byte, with every byte put in, and left out. Not those that are another text in JSON
/// for the same string: a backslash before a slash.
fn changes_of(spelled: &str) -> Vec<Vec<u8>> {
    let bytes = spelled.as_bytes();
    let mut changes: Vec<Vec<u8>> = Vec::new();
    for place in 0..=bytes.len() {
        let (before, after) = bytes.split_at(place);
        for byte in 0..=u8::MAX {
            changes.push([before, &[byte], after].concat());
            if let Some((old, rest)) = after.split_first()
                && *old != byte
            {
                changes.push([before, &[byte], rest].concat());
            }
        }
        if let Some((_, rest)) = after.split_first() {
            changes.push([before, rest].concat());
        }
    }
    changes.retain(|changed| {
        let json = [b"\"", changed.as_slice(), b"\""].concat();
        serde_json::from_slice::<String>(&json).map_or(true, |read| read != spelled)
    });
    changes
}
