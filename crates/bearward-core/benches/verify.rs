//! What a verification costs beside the bare signature check it can't do without, and beside another library.
//!
//! The contenders take turns on the same tokens, round after round, so that whatever else the machine does hits all
//! of them alike; ratios are taken within a round. Every token is new to the verifier that is timed.
//!
//! `cargo bench --package bearward-core` prints a table; with `-- --json` it prints one line of JSON.
#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark: it reads the clock, prints, and ends when something is wrong"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::policy::{Audience, Policy};
use bearward_core::{Field, Outcome, RequestFacts, UnixTime, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value, json};

const ROUNDS: usize = 151;
const TOKENS: usize = 128;
const DOMAIN: &str = "tenant.eu.auth0.com";
const ISSUER: &str = "https://tenant.eu.auth0.com/";
const AUDIENCE: &str = "https://api.example.com";
const KID: &str = "q3dVZ8yXGm0TzA1bWc5Rk";

fn main() {
    let tenant = Tenant::new();
    let requests: Vec<Request> = (0..TOKENS).map(|number| tenant.request(number)).collect();
    let contenders: [&dyn Contender; 3] =
        [&BareCheck::new(&tenant), &Bearward::new(&tenant), &Jsonwebtoken::new(&tenant)];
    let samples = measure(&contenders, &requests);
    let rows: Vec<Row> =
        contenders.iter().enumerate().map(|(which, one)| Row::new(one.name(), &samples, which)).collect();

    if std::env::args().any(|argument| argument == "--json") {
        println!(
            "{}",
            json!({ "tokens": TOKENS, "rounds": ROUNDS, "rows": rows.iter().map(Row::json).collect::<Vec<_>>() })
        );
        return;
    }
    println!("{TOKENS} new RS256 tokens of {} bytes, {ROUNDS} rounds in turn\n", requests[0].token_bytes());
    println!("{:<34} {:>12} {:>12} {:>14}", "", "median us", "least us", "to bare check");
    for row in &rows {
        println!("{:<34} {:>12.2} {:>12.2} {:>14.3}", row.name, row.median, row.least, row.ratio);
    }
}

/// Microseconds per token: a row per round, a column per contender.
fn measure(contenders: &[&dyn Contender], requests: &[Request]) -> Vec<Vec<f64>> {
    let sample = |round: usize| {
        let mut times = vec![0.0; contenders.len()];
        for turn in 0..contenders.len() {
            let which = (round + turn) % contenders.len();
            times[which] = contenders[which].seconds(requests) * 1e6 / requests.len() as f64;
        }
        times
    };
    (0..ROUNDS).map(sample).collect()
}

/// One way of verifying.
trait Contender {
    fn name(&self) -> &'static str;

    /// How long it takes to verify all of `requests`, none of which it has seen before.
    fn seconds(&self, requests: &[Request]) -> f64;
}

/// The signed bytes and the signature, handed to aws-lc-rs: no parsing, no claims.
struct BareCheck {
    key: ParsedPublicKey,
}

impl BareCheck {
    fn new(tenant: &Tenant) -> Self {
        let key = tenant.key.public_key().as_ref();
        Self { key: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).unwrap() }
    }
}

impl Contender for BareCheck {
    fn name(&self) -> &'static str {
        "aws-lc-rs, bare signature check"
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let started = Instant::now();
        for request in requests {
            self.key.verify_sig(black_box(request.signed.as_bytes()), &request.signature).unwrap();
        }
        started.elapsed().as_secs_f64()
    }
}

/// From the Authorization field to checked claims.
struct Bearward {
    documents: [Value; 2],
    first: Request,
}

impl Bearward {
    fn new(tenant: &Tenant) -> Self {
        Self { documents: tenant.documents(), first: tenant.request(TOKENS) }
    }

    /// A verifier that has its documents, and has seen no token but `first`: later ones are new to it, even if it
    /// remembered what it has seen.
    fn verifier(&self) -> Verifier {
        let issuers = Issuers::single(IssuerUrl::parse(DOMAIN).unwrap());
        let verifier = Verifier::new(Policy::new(issuers, Audience::new(AUDIENCE).unwrap()));
        for document in &self.documents {
            let Outcome::DocumentNeeded(needed) = verifier.verify(&self.first.facts(), now()) else {
                panic!("no document asked for");
            };
            verifier.document_received(&needed, document.to_string().into_bytes(), None, now()).unwrap();
        }
        assert!(matches!(verifier.verify(&self.first.facts(), now()), Outcome::Verified(_)));
        verifier
    }
}

impl Contender for Bearward {
    fn name(&self) -> &'static str {
        "bearward, Verifier::verify"
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let verifier = self.verifier();
        let started = Instant::now();
        for request in requests {
            let outcome = verifier.verify(black_box(&request.facts()), now());
            assert!(matches!(black_box(outcome), Outcome::Verified(_)));
        }
        started.elapsed().as_secs_f64()
    }
}

/// The same checks with the `jsonwebtoken` crate: the key by the header's `kid`, then signature and claims.
struct Jsonwebtoken {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

impl Jsonwebtoken {
    fn new(tenant: &Tenant) -> Self {
        let (n, e) = tenant.components();
        let key = DecodingKey::from_rsa_components(&n, &e).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Self { keys: HashMap::from([(KID.to_owned(), key)]), validation }
    }
}

impl Contender for Jsonwebtoken {
    fn name(&self) -> &'static str {
        "jsonwebtoken, decode"
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let started = Instant::now();
        for request in requests {
            let token = black_box(&request.field).strip_prefix("Bearer ").unwrap();
            let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
            let claims =
                jsonwebtoken::decode::<Map<String, Value>>(token, &self.keys[&kid], &self.validation);
            black_box(claims).unwrap();
        }
        started.elapsed().as_secs_f64()
    }
}

/// A request with a token, and the parts of it that the bare check is handed.
struct Request {
    field: String,
    signed: String,
    signature: Vec<u8>,
}

impl Request {
    fn facts(&self) -> RequestFacts<'_> {
        RequestFacts { authorization: Field::Once(self.field.as_bytes()), ..RequestFacts::default() }
    }

    fn token_bytes(&self) -> usize {
        self.field.len() - "Bearer ".len()
    }
}

/// An issuer with one RSA-2048 key.
struct Tenant {
    key: KeyPair,
    issued: u64,
}

impl Tenant {
    fn new() -> Self {
        let issued = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self { key: KeyPair::generate(KeySize::Rsa2048).unwrap(), issued }
    }

    fn documents(&self) -> [Value; 2] {
        let (n, e) = self.components();
        [
            json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}.well-known/jwks.json") }),
            json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KID, "n": n, "e": e }] }),
        ]
    }

    /// Modulus and exponent, as in a JWK.
    fn components(&self) -> (String, String) {
        // RSAPublicKey (RFC 8017 A.1.1) of 2048 bits and exponent 65537 always is laid out so.
        let der: &[u8] = self.key.public_key().as_ref();
        assert_eq!((der.len(), &der[..9]), (270, &[0x30, 0x82, 1, 0x0a, 2, 0x82, 1, 1, 0][..]));
        (URL_SAFE_NO_PAD.encode(&der[9..265]), URL_SAFE_NO_PAD.encode(&der[267..]))
    }

    /// Shaped and sized like a user's access token from Auth0, with a few permissions.
    fn request(&self, number: usize) -> Request {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KID });
        let claims = json!({
            "https://example.com/email": format!("somebody{number}@example.com"),
            "iss": ISSUER,
            "sub": format!("auth0|65f0c1d2e3b4a5968778{number:04}"),
            "aud": [AUDIENCE, format!("https://{DOMAIN}/userinfo")],
            "iat": self.issued,
            "exp": self.issued + 86_400,
            "scope": "openid profile email read:messages write:messages offline_access",
            "azp": "Zk3pQ8vXw2LrT6yBn1Hs9JdCfGm4Ku7A",
            "permissions": ["read:messages", "write:messages", "read:profile", "delete:messages"],
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        let field = format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(&signature));
        Request { field, signed, signature }
    }
}

fn now() -> UnixTime {
    UnixTime::from_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()).unwrap()
}

/// One contender's times, and how they compare with the bare check's of the same round.
struct Row {
    name: &'static str,
    median: f64,
    least: f64,
    ratio: f64,
}

impl Row {
    fn new(name: &'static str, samples: &[Vec<f64>], which: usize) -> Self {
        let times = || samples.iter().map(|round| round[which]);
        Self {
            name,
            median: median(times()),
            least: times().fold(f64::INFINITY, f64::min),
            ratio: median(samples.iter().map(|round| round[which] / round[0])),
        }
    }

    fn json(&self) -> Value {
        json!({ "name": self.name, "median_us": self.median, "least_us": self.least, "to_bare": self.ratio })
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
