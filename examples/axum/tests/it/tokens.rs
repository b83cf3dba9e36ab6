//! The requests of the soak test, with what may be answered to each.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bearward::testing::TestKey;
use bearward_core::encoding::base64url;
use serde_json::{Value, json};

use crate::support::{Tenant, request};

/// How many good tokens are in use at a time.
const POOL: usize = 200;
const OLD: usize = 4;
/// So long after a `kid` that nobody published, the guard asks the issuer for no other one (`UNKNOWN_KID_COOLDOWN`); and some
/// time for the fetch.
const NEW_KEY_IS_KNOWN_AFTER: Duration = Duration::from_secs(33);

/// A token that is good, and since when its key signs.
struct Good {
    header: String,
    key_since: Instant,
    /// Its key was published after the old one was withdrawn.
    is_of_later_key: bool,
}

/// Tokens of a key that the tenant withdraws on the way.
pub(crate) struct OldTokens {
    tokens: Vec<String>,
    kid: Value,
    /// There is a later key in the key set, and the old one is not.
    is_withdrawn: AtomicBool,
    /// The service accepted a token of the later key: so its key set doesn't have the old one any more.
    is_forgotten: AtomicBool,
}

impl OldTokens {
    /// The tenant goes on with another key. Until it withdraws the old one, both are published.
    pub(crate) async fn mint(tenant: &Tenant) -> Self {
        let mut tokens = Vec::new();
        for _ in 0..OLD {
            tokens.push(tenant.token(&json!({})).await);
        }
        let kid = tenant.admin("token", &json!({})).await["kid"].clone();
        tenant.admin("rotate-keys", &json!({})).await;
        Self { tokens, kid, is_withdrawn: AtomicBool::new(false), is_forgotten: AtomicBool::new(false) }
    }
}

/// What clients and strangers send.
pub(crate) struct Tokens {
    host: String,
    pool: Mutex<Vec<Arc<Good>>>,
    old: OldTokens,
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
    /// If it is accepted, the service knows that the old key was withdrawn.
    is_of_later_key: bool,
}

impl Tokens {
    pub(crate) async fn new(tenant: &Tenant, host: String, old: OldTokens) -> Self {
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
            old,
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
        // Read first: the old key is withdrawn before the later one signs.
        let is_of_later_key = self.old.is_withdrawn.load(Ordering::Relaxed);
        let header = format!("Bearer {}", tenant.token(&json!({})).await);
        // Read afterwards: a new key is announced before it signs.
        let key_since = *self.newest_key.lock().unwrap();
        let mut pool = self.pool.lock().unwrap();
        if pool.len() >= POOL {
            pool.remove(0);
        }
        pool.push(Arc::new(Good { header, key_since, is_of_later_key }));
    }

    /// The tenant has a new key, and withdraws the old one at the same time.
    pub(crate) async fn replace_old_key(&self, tenant: &Tenant) {
        tenant.admin("withdraw-key", &json!({ "kid": self.old.kid })).await;
        self.rotates(true);
        tenant.admin("rotate-keys", &json!({})).await;
        self.old.is_withdrawn.store(true, Ordering::Relaxed);
    }

    /// The service has answered.
    pub(crate) fn answered(&self, asked: &Asked, status: u16) {
        if asked.is_of_later_key && status == 200 {
            self.old.is_forgotten.store(true, Ordering::Relaxed);
        }
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
            8 => self.old(number / 16),
            4..=7 if flood => {
                let token = format!("{}{}", header_with_unknown_kid(number), self.behind_header);
                self.bearer("flood", "/api/private", &token, &[401, 503])
            }
            _ => self.good(number),
        }
    }

    /// Once the service is seen with the later key set, no token of the old key is good, whether it is remembered or not.
    fn old(&self, number: u64) -> Asked {
        let token = &self.old.tokens[usize::try_from(number).unwrap() % OLD];
        if self.old.is_forgotten.load(Ordering::Relaxed) {
            return self.bearer("withdrawn key", "/api/private", token, &[401, 503]);
        }
        self.bearer("old key", "/api/private", token, &[200, 401, 503])
    }

    fn good(&self, number: u64) -> Asked {
        let good = {
            let pool = self.pool.lock().unwrap();
            Arc::clone(&pool[usize::try_from(number).unwrap() % pool.len()])
        };
        let fields = [("Authorization", good.header.as_str())];
        let asked = if good.key_since.elapsed() < NEW_KEY_IS_KNOWN_AFTER {
            self.asked("new key during a flood", "/api/private", &fields, &[200, 401, 503])
        } else {
            let path = if number.is_multiple_of(2) { "/api/private" } else { "/api/messages" };
            self.asked("good", path, &fields, &[200])
        };
        Asked { is_of_later_key: good.is_of_later_key, ..asked }
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
        Asked {
            kind,
            request: request(path, &self.host, fields),
            right,
            is_proof: false,
            is_of_later_key: false,
        }
    }
}

/// What a token of an unknown key begins with.
fn header_with_unknown_kid(number: u64) -> String {
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": format!("nobody-published-{number}") });
    base64url::encode(header.to_string().as_bytes())
}
