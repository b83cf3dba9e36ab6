use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::login::LoginRequest;

/// What users have allowed applications to do.
#[derive(Default)]
pub(crate) struct Consents(Mutex<BTreeMap<Consent, BTreeSet<String>>>);

/// A user, a client and an API; an API that has no name is `/userinfo`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Consent {
    user: String,
    client: String,
    api: Option<String>,
}

impl Consents {
    /// Whether the user has allowed all that the application asks for now.
    pub(crate) fn has(&self, user: &str, request: &LoginRequest) -> bool {
        let consents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed = consents.get(&Consent::new(user, request));
        allowed.is_some_and(|allowed| scopes(request).all(|scope| allowed.contains(scope)))
    }

    pub(crate) fn give(&self, user: &str, request: &LoginRequest) {
        let mut consents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        consents.entry(Consent::new(user, request)).or_default().extend(scopes(request).map(str::to_owned));
    }
}

impl Consents {
    pub(super) fn to_saved(&self) -> Vec<(Consent, BTreeSet<String>)> {
        let consents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        consents.iter().map(|(consent, scopes)| (consent.clone(), scopes.clone())).collect()
    }

    pub(super) fn from_saved(saved: Vec<(Consent, BTreeSet<String>)>) -> Self {
        Self(Mutex::new(saved.into_iter().collect()))
    }
}

impl Consent {
    fn new(user: &str, request: &LoginRequest) -> Self {
        Self { user: user.to_owned(), client: request.client.id.clone(), api: request.api.clone() }
    }
}

/// No scope at all means everything, which is a thing of its own to allow.
fn scopes(request: &LoginRequest) -> impl Iterator<Item = &str> {
    let everything = request.scope.is_none().then_some("");
    request.scope.as_deref().unwrap_or_default().split_whitespace().chain(everything)
}
