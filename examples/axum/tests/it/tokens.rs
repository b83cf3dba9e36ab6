//! The requests of the soak test, with what may be answered to each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bearward::testing::TestKey;
use bearward_core::encoding::base64url;
use serde_json::json;

use crate::support::{Tenant, request};

/// How many good tokens are in use at a time.
const POOL: usize = 200;
/// So long after a `kid` that nobody published, the guard asks the issuer for no other one (`UNKNOWN_KID_COOLDOWN`); and some
/// time for the fetch.
const NEW_KEY_IS_KNOWN_AFTER: Duration = Duration::from_secs(33);

/// A token that is good, and since when its key signs.
struct Good {
    header: String,
    key_since: Instant,
}

/// What clients and strangers send.
pub(crate) struct Tokens {
    host: String,
    pool: Mutex<Vec<Arc<Good>>>,
    /// Since when the newest key signs.
    newest_key: Mutex<Instant>,
    bad: Vec<String>,
    /// Claims and signature of a token, to be put behind headers that name unknown keys.
    behind_header: String,
    without_scope: String,
    bound: String,
    key: TestKey,
    number: AtomicU64,
}

/// A request, with the statuses that are right.
pub(crate) struct Asked {
    pub(crate) kind: &'static str,
    pub(crate) request: Vec<u8>,
    pub(crate) right: &'static [u16],
    /// To be sent a second time, which must be refused.
    pub(crate) is_proof: bool,
}

impl Tokens {
    pub(crate) async fn new(tenant: &Tenant, host: String) -> Self {
        let key = TestKey::new();
        let published = tenant.admin("token", &json!({})).await["kid"].clone();
        let mut bad = vec!["garbage".to_owned()];
        for order in [
            json!({ "expires_in": -60 }),
            json!({ "claims": { "aud": "https://other.example.com" } }),
            json!({ "claims": { "iss": "https://other.example.com/" } }),
            json!({ "key": "unpublished", "header": { "kid": published } }),
        ] {
            bad.push(tenant.token(&order).await);
        }
        let without_scope = tenant.token(&json!({ "claims": { "scope": null } })).await;
        let bound = tenant.bound_token(&key.thumbprint()).await;
        let behind_header = without_scope[without_scope.find('.').unwrap()..].to_owned();
        let tokens = Self {
            host,
            pool: Mutex::default(),
            newest_key: Mutex::new(Instant::now().checked_sub(NEW_KEY_IS_KNOWN_AFTER).unwrap()),
            bad,
            behind_header,
            without_scope,
            bound,
            key,
            number: AtomicU64::new(0),
        };
        for _ in 0..POOL / 4 {
            tokens.renew_one(tenant).await;
        }
        tokens
    }

    /// Another good token takes the place of the oldest one.
    pub(crate) async fn renew_one(&self, tenant: &Tenant) {
        let header = format!("Bearer {}", tenant.token(&json!({})).await);
        // Read afterwards: a new key is announced before it signs.
        let key_since = *self.newest_key.lock().unwrap();
        let mut pool = self.pool.lock().unwrap();
        if pool.len() >= POOL {
            pool.remove(0);
        }
        pool.push(Arc::new(Good { header, key_since }));
    }

    /// The tenant gets a new key. `is_found_at_once`: no flood of unknown keys went before.
    pub(crate) fn rotates(&self, is_found_at_once: bool) {
        let age = if is_found_at_once { NEW_KEY_IS_KNOWN_AFTER } else { Duration::ZERO };
        *self.newest_key.lock().unwrap() = Instant::now().checked_sub(age).unwrap();
    }

    /// One request of the mix. `flood`: with tokens of keys that nobody published.
    pub(crate) fn next(&self, flood: bool) -> Asked {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        match number % 16 {
            0 => self.bad(number / 16),
            1 => self.bearer("no scope", "/api/messages", &self.without_scope, &[403]),
            2 => self.asked("no token", "/api/private", &[], &[401]),
            3 => self.proof(),
            4..=7 if flood => {
                let token = format!("{}{}", header_with_unknown_kid(number), self.behind_header);
                self.bearer("flood", "/api/private", &token, &[401, 503])
            }
            _ => self.good(number),
        }
    }

    fn good(&self, number: u64) -> Asked {
        let good = {
            let pool = self.pool.lock().unwrap();
            Arc::clone(&pool[usize::try_from(number).unwrap() % pool.len()])
        };
        let fields = [("Authorization", good.header.as_str())];
        if good.key_since.elapsed() < NEW_KEY_IS_KNOWN_AFTER {
            return self.asked("new key during a flood", "/api/private", &fields, &[200, 401, 503]);
        }
        self.asked(
            "good",
            if number.is_multiple_of(2) { "/api/private" } else { "/api/messages" },
            &fields,
            &[200],
        )
    }

    fn bad(&self, number: u64) -> Asked {
        let token = &self.bad[usize::try_from(number).unwrap() % self.bad.len()];
        self.bearer("bad", "/api/private", token, &[401])
    }

    fn proof(&self) -> Asked {
        let proof = self.key.proof("GET", &format!("http://{}/api/private", self.host), &self.bound);
        let fields = [("Authorization", format!("DPoP {}", self.bound)), ("DPoP", proof)];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        Asked { is_proof: true, ..self.asked("proof", "/api/private", &fields, &[200]) }
    }

    fn bearer(&self, kind: &'static str, path: &str, token: &str, right: &'static [u16]) -> Asked {
        self.asked(kind, path, &[("Authorization", &format!("Bearer {token}"))], right)
    }

    fn asked(&self, kind: &'static str, path: &str, fields: &[(&str, &str)], right: &'static [u16]) -> Asked {
        Asked { kind, request: request(path, &self.host, fields), right, is_proof: false }
    }
}

/// What a token of an unknown key begins with.
fn header_with_unknown_kid(number: u64) -> String {
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": format!("nobody-published-{number}") });
    base64url::encode(header.to_string().as_bytes())
}
