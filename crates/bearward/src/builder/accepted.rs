//! Whose tokens are accepted, and for whom.

use std::time::Duration;

use super::{Builder, Named};
use crate::extend::Resolver;
use crate::introspection::Introspection;

/// Whose tokens are accepted, and for whom.
impl Builder {
    /// Accepts tokens of an Auth0 tenant, or of another issuer whose name is a bare host: `tenant.eu.auth0.com`,
    /// `https://tenant.eu.auth0.com/`. Several calls accept several.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().domain("tenant.eu.auth0.com");
    /// # let _ = builder;
    /// ```
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.issuers.push(Named::Domain(domain.into()));
        self
    }

    /// Accepts tokens of any OpenID issuer. `issuer` is exactly as its tokens spell it in `iss`, with path and final slash:
    /// `https://kc.example.com/realms/acme`. https; http only for this machine. Several calls accept several.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().issuer("https://kc.example.com/realms/acme");
    /// # let _ = builder;
    /// ```
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(Named::Exact(issuer.into()));
        self
    }

    /// Asks a function for each request whose tokens are accepted, instead of a list.
    ///
    /// ```
    /// use bearward::{BoxError, Facts, Guard, Resolver};
    ///
    /// struct ByHost;
    ///
    /// impl Resolver for ByHost {
    ///     async fn issuers(&self, request: Facts<'_>, _: &str) -> Result<Vec<String>, BoxError> {
    ///         match request.header("host").map(|host| host.as_bytes()) {
    ///             Some(b"acme.example.com") => Ok(vec!["acme.eu.auth0.com".to_owned()]),
    ///             _ => Err("no customer has this host".into()),
    ///         }
    ///     }
    /// }
    ///
    /// let builder = Guard::builder().resolver(ByHost).audience("https://api.example.com");
    /// # let _ = builder;
    /// ```
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Some(Box::new(resolver));
        self
    }

    /// How long the resolver may take: 5 seconds by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().resolver_timeout(Duration::from_secs(2));
    /// # let _ = builder;
    /// ```
    pub fn resolver_timeout(mut self, limit: Duration) -> Self {
        self.resolver_timeout = limit;
        self
    }

    /// The API's identifier, which a token's `aud` must name. Several calls accept several. RFC 7519 §4.1.3.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().domain("tenant.eu.auth0.com").audience("https://api.example.com");
    /// # let _ = builder;
    /// ```
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Instead of an audience, for issuers whose access tokens have no `aud`: a token's `client_id`, or else `azp`, or else
    /// `cid`, must be one of these clients. The token must say that it is an access token, since ID tokens name the same
    /// clients.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder()
    ///     .issuer("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc")
    ///     .client_ids(["my-app", "my-other-app"]);
    /// # let _ = builder;
    /// ```
    pub fn client_ids<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.client_ids = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// The claim with a token's scopes: a string with spaces between them, or a list. By default it is `scope`; with
    /// [`issuer`](Self::issuer), where that is missing, `scp`.
    /// Several calls: what all of these claims grant together.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().scope_claim("scope").scope_claim("permissions");
    /// # let _ = builder;
    /// ```
    pub fn scope_claim(mut self, name: impl Into<String>) -> Self {
        self.scope_claims.push(name.into());
        self
    }

    /// A token with `scope` has these scopes as well, and those that they imply. Several calls imply more.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com")
    ///     .implies("admin", ["write"])
    ///     .implies("write", ["read"]) // so `admin` is enough for `read`
    ///     .build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn implies<S: Into<String>>(
        mut self,
        scope: impl Into<String>,
        implied: impl IntoIterator<Item = S>,
    ) -> Self {
        self.implied.entry(scope.into()).or_default().extend(implied.into_iter().map(Into::into));
        self
    }

    /// The signature algorithms that are accepted, instead of RS256 alone: RS256/384/512, PS256/384/512, ES256/384/512,
    /// EdDSA (or Ed25519).
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().algorithms(["RS256", "ES256"]);
    /// # let _ = builder;
    /// ```
    pub fn algorithms<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.algorithms = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// A private key that opens encrypted tokens (JWE, RFC 7516): RSA in PEM, PKCS #8 without a password. Several calls give
    /// several, at most 4: while a key is exchanged, the old and the new one.
    ///
    /// Tokens are opened that are encrypted with RSA-OAEP-256 and A256GCM, as Auth0 does, or A128GCM. Inside must be a signed
    /// token, which is verified as any other. Without keys, encrypted tokens are refused; signed ones are accepted all the same.
    ///
    /// ```no_run
    /// use bearward::Guard;
    ///
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com")
    ///     .decryption_key(std::fs::read_to_string("api-key.pem")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decryption_key(mut self, pem: impl Into<String>) -> Self {
        self.decryption_keys.push((None, pem.into()));
        self
    }

    /// As [`decryption_key`](Self::decryption_key), for tokens that name this `kid` in their header.
    ///
    /// ```no_run
    /// use bearward::Guard;
    ///
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com")
    ///     .decryption_key_named("2026-07", std::fs::read_to_string("new-key.pem")?)
    ///     .decryption_key_named("2026-01", std::fs::read_to_string("old-key.pem")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decryption_key_named(mut self, kid: impl Into<String>, pem: impl Into<String>) -> Self {
        self.decryption_keys.push((Some(kid.into()), pem.into()));
        self
    }

    /// Asks the issuer what opaque tokens say (RFC 7662). Nobody is asked about JWTs. Only with one issuer: an opaque token does
    /// not say whose it is. Without this, opaque tokens are refused.
    ///
    /// ```
    /// use bearward::{Guard, Introspection};
    ///
    /// let guard = Guard::builder()
    ///     .issuer("https://hydra.example.com/")
    ///     .audience("https://api.example.com")
    ///     .introspection(Introspection::with_secret("orders-api", "a secret"))
    ///     .build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn introspection(mut self, introspection: Introspection) -> Self {
        self.introspection = Some(introspection);
        self
    }

    /// How much the issuer's clock and ours may differ when `exp` and `nbf` are checked: not at all by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().leeway(Duration::from_secs(5));
    /// # let _ = builder;
    /// ```
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Looks at access tokens of up to so many bytes: 16 KiB by default.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().most_token_bytes(8 * 1024);
    /// # let _ = builder;
    /// ```
    pub fn most_token_bytes(mut self, bytes: usize) -> Self {
        self.token_bytes = bytes;
        self
    }

    /// How many verified tokens are remembered, so that their signatures need not be checked at each request: 10,000 by
    /// default, 1.5 KB each. Everything that depends on the time or the request is checked each time. 0: none.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().tokens_remembered(100_000);
    /// # let _ = builder;
    /// ```
    pub fn tokens_remembered(mut self, tokens: usize) -> Self {
        self.tokens_remembered = tokens;
        self
    }
}
