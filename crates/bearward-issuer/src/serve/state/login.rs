//! A login, from the request of an application to the code that the application redeems.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, error::Unspecified};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{clients::RegisteredClient, expiring::Expiring};
use crate::{random, serve::secret::Secret};

/// A person has this long to choose a user.
const PAGE_LIFETIME: Duration = Duration::from_secs(600);
/// RFC 6749 §4.1.2 recommends ten minutes at most; an application redeems a code at once.
const CODE_LIFETIME: Duration = Duration::from_secs(60);
const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// Everything that reaches the tenant can open login pages.
const PAGES_OPEN: usize = 1_000;
const CODES_KEPT: usize = 1_000;
const SESSIONS_KEPT: usize = 1_000;

/// What an application asks for: the checked request to `/authorize`.
#[derive(Clone, Debug)]
pub(crate) struct LoginRequest {
    pub(crate) client: Arc<RegisteredClient>,
    pub(crate) redirect_uri: String,
    /// Whether the request named the redirect URI; the request for tokens then has to name it too.
    pub(crate) redirect_uri_named: bool,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) scope: Option<String>,
    /// The API's identifier; without one the access token is for `/userinfo` alone.
    pub(crate) api: Option<String>,
    pub(crate) organization: Option<String>,
    /// RFC 7636 §4.2, by `S256`.
    pub(crate) challenge: String,
    /// RFC 9449 §10: the key that the code is for.
    pub(crate) jkt: Option<String>,
}

/// A login that was made: all that later tokens depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) api: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) nonce: Option<String>,
    /// When the user logged in, in Unix seconds.
    pub(crate) auth_time: u64,
    /// The name of the refresh tokens that come from it.
    pub(crate) family: String,
}

impl Login {
    /// A login that was not made on the login page.
    pub(crate) fn without_page(
        user: String,
        api: String,
        scope: Option<String>,
        now: u64,
    ) -> Result<Self, Unspecified> {
        let family = random::hex::<16>()?;
        Ok(Self { user, api: Some(api), scope, organization: None, nonce: None, auth_time: now, family })
    }
}

/// A login page that is open in a browser.
pub(crate) struct OpenPage {
    pub(crate) request: LoginRequest,
    /// The cookie of the browser that asked for the page.
    pub(crate) browser: Secret,
}

/// A user that is logged in, in one browser.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) auth_time: u64,
}

/// A code that an application was sent.
pub(crate) struct Code {
    request: LoginRequest,
    login: Login,
    redeemed: bool,
}

/// What a client shows when it redeems a code.
pub(crate) struct Redemption<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: &'a str,
    pub(crate) jkt: Option<&'a str>,
}

/// Why a code is not redeemed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotRedeemed {
    Unknown,
    /// It was redeemed before; the refresh tokens of this family have to be revoked.
    Reused {
        family: String,
    },
    RedirectUri,
    Verifier,
    Key,
}

/// Every login under way, and every browser that is logged in.
pub(crate) struct Logins {
    pub(crate) pages: Expiring<OpenPage>,
    pub(crate) sessions: Expiring<Session>,
    codes: Expiring<Code>,
}

impl Logins {
    pub(super) fn new() -> Self {
        Self {
            pages: Expiring::new(PAGE_LIFETIME, PAGES_OPEN),
            sessions: Expiring::new(SESSION_LIFETIME, SESSIONS_KEPT),
            codes: Expiring::new(CODE_LIFETIME, CODES_KEPT),
        }
    }

    /// A code for the application that made this request. `None` if there are too many, or no random numbers.
    pub(crate) fn code(&self, request: &LoginRequest, session: &Session, now: Instant) -> Option<String> {
        let login = Login {
            user: session.user.clone(),
            api: request.api.clone(),
            scope: request.scope.clone(),
            organization: request.organization.clone(),
            nonce: request.nonce.clone(),
            auth_time: session.auth_time,
            family: random::hex::<16>().ok()?,
        };
        self.codes.add(Code { request: request.clone(), login, redeemed: false }, now)
    }

    /// RFC 6749 §4.1.3, RFC 7636 §4.6. A code is good once. A second use returns its family, to be revoked.
    pub(crate) fn redeem(
        &self,
        code: &str,
        shown: &Redemption<'_>,
        now: Instant,
    ) -> Result<Login, NotRedeemed> {
        self.codes.with(code, now, |code| code.redeem(shown)).unwrap_or(Err(NotRedeemed::Unknown))
    }
}

impl Code {
    fn redeem(&mut self, shown: &Redemption<'_>) -> Result<Login, NotRedeemed> {
        let LoginRequest { client, redirect_uri, redirect_uri_named, challenge, jkt, .. } = &self.request;
        if shown.client_id != client.id {
            return Err(NotRedeemed::Unknown);
        }
        if self.redeemed {
            return Err(NotRedeemed::Reused { family: self.login.family.clone() });
        }
        let same_uri = match shown.redirect_uri {
            Some(uri) => uri == redirect_uri,
            None => !redirect_uri_named,
        };
        if !same_uri {
            return Err(NotRedeemed::RedirectUri);
        }
        if verify_slices_are_equal(s256(shown.verifier).as_bytes(), challenge.as_bytes()).is_err() {
            return Err(NotRedeemed::Verifier);
        }
        if jkt.as_deref().is_some_and(|jkt| shown.jkt != Some(jkt)) {
            return Err(NotRedeemed::Key);
        }
        self.redeemed = true;
        Ok(self.login.clone())
    }
}

/// RFC 7636 §4.2.
fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    #[test]
    fn the_challenge_of_the_rfc() {
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
