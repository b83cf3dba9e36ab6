//! Opaque tokens: how this API asks its issuer what they say. RFC 7662.

use core::fmt;
use std::time::Duration;

use bearward_core::limits;

use crate::driver::ClientAuthentication;

/// How this API authenticates at the introspection endpoint of its issuer:
/// [`Builder::introspection`](crate::Builder::introspection). [`Debug`](fmt::Debug) shows no secret.
///
/// A token that is no JWT is then sent to that endpoint. If the answer says that it is active, the answer's claims are checked
/// like those of a JWT: `aud` (or the client, with [`client_ids`](crate::Builder::client_ids)), `exp`, `nbf`, `sub`, `cnf`, and
/// what a route requires. RFC 7662 §2.2 lets `iss`, `exp` and `iat` be missing; where they are there, they are checked.
///
/// One question serves all requests that come at once with a token, and its answer is remembered. While the endpoint fails,
/// requests with a token that is not remembered are answered 503 with `Retry-After`, and the endpoint is asked less and less
/// often.
///
/// ```no_run
/// use bearward::{Guard, Introspection};
///
/// let guard = Guard::builder()
///     .issuer("https://hydra.example.com/")
///     .audience("https://api.example.com")
///     .introspection(Introspection::with_secret("orders-api", std::env::var("ORDERS_API_SECRET")?))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "it is asked by the guard that it is given to"]
pub struct Introspection {
    client_id: String,
    method: Method,
    pub(crate) endpoint: Option<String>,
    pub(crate) remembered: Duration,
}

#[derive(Clone)]
enum Method {
    Secret(String),
    Key { pem: String, algorithm: String },
}

impl Introspection {
    /// This API as a client of the issuer, with a secret that is sent as HTTP Basic. RFC 6749 §2.3.1.
    ///
    /// ```
    /// let introspection = bearward::Introspection::with_secret("orders-api", "a secret");
    /// assert!(!format!("{introspection:?}").contains("a secret"));
    /// ```
    pub fn with_secret(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self::new(client_id.into(), Method::Secret(client_secret.into()))
    }

    /// This API as a client of the issuer, with a private key: `private_key_jwt`, RFC 7523 §2.2. `pem`: RSA of at least 2048
    /// bits, without a password. `algorithm`: RS256, RS384 or PS256.
    ///
    /// ```no_run
    /// use bearward::Introspection;
    ///
    /// let key = std::fs::read_to_string("orders-api.pem")?;
    /// let introspection = Introspection::with_private_key("orders-api", key, "RS256");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_private_key(
        client_id: impl Into<String>,
        pem: impl Into<String>,
        algorithm: impl Into<String>,
    ) -> Self {
        Self::new(client_id.into(), Method::Key { pem: pem.into(), algorithm: algorithm.into() })
    }

    fn new(client_id: String, method: Method) -> Self {
        let remembered = limits::INTROSPECTION_REMEMBERED_FOR;
        Self { client_id, method, endpoint: None, remembered }
    }

    /// The endpoint, an https URL. By default it is `introspection_endpoint` of the discovery document, which must then come
    /// from the issuer itself: a shared cache is not asked for it.
    ///
    /// ```
    /// use bearward::Introspection;
    ///
    /// let introspection =
    ///     Introspection::with_secret("orders-api", "a secret").endpoint("https://hydra.example.com/admin/oauth2/introspect");
    /// # let _ = introspection;
    /// ```
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// How long an answer is used again: 30 seconds by default, 300 at most, and never beyond the token's `exp`. A token that is
    /// revoked meanwhile is accepted so much longer. Zero: the issuer is asked at each request.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::Introspection;
    ///
    /// let introspection = Introspection::with_secret("orders-api", "a secret").remember_for(Duration::from_secs(5));
    /// # let _ = introspection;
    /// ```
    pub fn remember_for(mut self, time: Duration) -> Self {
        self.remembered = time;
        self
    }

    /// `Err`: what is wrong with the credentials, without them.
    pub(crate) fn client(&self) -> Result<ClientAuthentication, &'static str> {
        match &self.method {
            Method::Secret(secret) => ClientAuthentication::with_secret(&self.client_id, secret),
            Method::Key { pem, algorithm } => ClientAuthentication::with_key(&self.client_id, pem, algorithm),
        }
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("client_id", &self.client_id)
            .field("endpoint", &self.endpoint)
            .field("remembered", &self.remembered)
            .finish_non_exhaustive()
    }
}
