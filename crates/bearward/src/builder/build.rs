//! From settings to a guard: each is checked, and all that is wrong is told at once.

use std::sync::Arc;
use std::time::Duration;

use bearward_core::http::forwarded::PublicUrl;
use bearward_core::policy::{MutualTls, Policy};
use bearward_core::{ProtectedResource, Verifier, limits};

use super::{Builder, Dpop, Replay};
use crate::client_certificate::Mtls;
use crate::config_error::ConfigError;
use crate::decisions::Observers;
use crate::driver::{
    BoundedStore, ClientAuthentication, Driver, Fetcher, Introspector, Keeper, OwnMemory, Resolving,
    StoreState, WhileFailing,
};
use crate::extend::DynTransport;
use crate::guard::Guard;
use crate::inner::{Inner, Login};
use crate::refused::BodyStyle;
use crate::resource::Published;

impl Builder {
    /// The guard. This opens no connection, needs no runtime and waits for nothing.
    ///
    /// # Errors
    ///
    /// Settings are missing or can't be used. The error names all of them.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let error = Guard::builder().domain("http://tenant.example").build().unwrap_err();
    /// assert_eq!(error.problems().count(), 2); // http, and no audience
    /// ```
    pub fn build(mut self) -> Result<Guard, ConfigError> {
        let policy = self.policy();
        let resource = self.checked_resource();
        let public = self.public_url(resource.as_ref());
        let client = self.client();
        let transport = self.any_transport();
        self.check_times();
        let (Some(policy), Some(public), Some(transport), true) =
            (policy, public, transport, self.problems.is_empty())
        else {
            return Err(ConfigError::new(self.problems));
        };
        self.tell(&policy, &public);
        Ok(Guard(Arc::new(self.inner(policy, public, transport, resource, client))))
    }

    fn inner(
        self,
        policy: Policy,
        public: PublicUrl,
        transport: Box<dyn DynTransport>,
        resource: Option<ProtectedResource>,
        client: Option<ClientAuthentication>,
    ) -> Inner {
        let issuers = self.keeps_fresh.then(|| policy.issuers().configured().cloned().collect());
        let verifier = Arc::new(Verifier::new(policy));
        let transport: Arc<dyn DynTransport> = Arc::from(transport);
        let documents = Arc::clone(verifier.documents());
        let introspector = client.map(|client| {
            let (verifier, transport) = (Arc::clone(&verifier), Arc::clone(&transport));
            Introspector::new(verifier, transport, client, self.clock.clone(), self.fetch_timeout)
        });
        let fetcher = Fetcher::new(documents, transport, self.cache, self.clock.clone(), self.fetch_timeout);
        let store = match self.replay {
            Replay::Shared(store) => Some(BoundedStore {
                store,
                limit: self.store_timeout,
                failing: self.failing,
                lost: self.lost,
                own: (self.failing == WhileFailing::RememberHere).then(OwnMemory::new),
                state: StoreState::default(),
            }),
            Replay::InProcess | Replay::Off => None,
        };
        let driver = Driver {
            verifier,
            public,
            mutual_tls: self.mtls.map_or(MutualTls::Off, Mtls::for_engine),
            clock: self.clock,
            fetcher: Arc::new(fetcher),
            introspector: introspector.map(Arc::new),
            resolving: self.resolver.map(|resolver| Resolving::new(resolver, self.resolver_timeout)),
            store,
            keeper: issuers.map(Keeper::new),
            patience: self.fetch_timeout,
        };
        let body = if self.compatible_answers { BodyStyle::Detail } else { BodyStyle::Bare };
        let audience = self.audiences.into_iter().next();
        let login = Login { audience, scope_descriptions: self.scope_descriptions };
        let published = resource.map(Published::new);
        let guidance = published.as_ref().and_then(|published| published.guidance([]).ok());
        Inner { driver, observers: Observers::of(self.observers), body, login, published, guidance }
    }

    /// Says once what is assumed, or let through.
    fn tell(&self, policy: &Policy, public: &PublicUrl) {
        for issuer in policy.issuers().configured().filter(|issuer| issuer.is_plain_http()) {
            tracing::warn!(target: "bearward", issuer = issuer.as_str(), "requests to this issuer go without TLS");
        }
        match (self.dpop, public) {
            (Dpop::Off, _) => tracing::warn!(
                target: "bearward",
                "DPoP is off: a token that is bound to a key is accepted without a proof, as Bearer"
            ),
            (_, PublicUrl::FromRequest) => tracing::info!(
                target: "bearward",
                "DPoP proofs are compared with the Host field and https (http on this machine itself): set public_origin \
                 if clients use another URL"
            ),
            _ => {}
        }
    }

    #[cfg(feature = "reqwest")]
    fn any_transport(&mut self) -> Option<Box<dyn DynTransport>> {
        let given = self.transport.take();
        given.or_else(|| Some(Box::new(crate::driver::https::Https::new(&self.https, &mut self.problems))))
    }

    #[cfg(not(feature = "reqwest"))]
    fn any_transport(&mut self) -> Option<Box<dyn DynTransport>> {
        let given = self.transport.take();
        if given.is_none() {
            self.problem("No transport: give one with transport(..), or switch on the feature `reqwest`.");
        }
        given
    }

    fn check_times(&mut self) {
        let limits = [
            ("fetch_timeout", self.fetch_timeout),
            ("resolver_timeout", self.resolver_timeout),
            ("store_timeout", self.store_timeout),
        ];
        for (setting, limit) in limits {
            if limit.is_zero() || limit > Duration::from_secs(3600) {
                self.problem(format!("{setting} must be more than zero, and an hour at most."));
            }
        }
        // After that time the engine takes a fetch for lost.
        if self.fetch_timeout >= limits::FETCH_DEADLINE {
            self.problem(format!("fetch_timeout must be less than {:?}.", limits::FETCH_DEADLINE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extend::{BoxError, Resolver};
    use crate::facts::Facts;
    use crate::introspection::Introspection;
    use crate::resource::ProtectedResource as Resource;

    struct Nobody;

    impl Resolver for Nobody {
        async fn issuers(&self, _: Facts<'_>, _: &str) -> Result<Vec<String>, BoxError> {
            Err("nobody".into())
        }
    }

    fn problems(builder: Builder) -> Vec<String> {
        builder.build().unwrap_err().problems().map(str::to_owned).collect()
    }

    fn asking() -> Introspection {
        Introspection::with_secret("orders-api", "hush")
    }

    fn fine() -> Builder {
        Guard::builder().domain("tenant.example").audience("api")
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let builder = Guard::builder()
            .domain("http://tenant.example")
            .issuer("https://tenant.example?x")
            .audience("\"api\"")
            .algorithms(["HS256", "none"])
            .dpop_algorithms(["ES256", "RS384x"])
            .public_origin("https://api.example.com/path")
            .fetch_timeout(Duration::from_secs(10));
        assert_eq!(problems(builder).len(), 8);
    }

    #[test]
    fn nothing_is_open_by_omission() {
        assert_eq!(problems(Guard::builder()).len(), 2);
        assert_eq!(problems(Guard::builder().domain("tenant.example")).len(), 1);
        for builder in vec![
            fine().audience(""),
            fine().audience(" "),
            fine().audience("a\u{1}"),
            fine().domain(""),
            fine().domain("'tenant.example'"),
            fine().client_ids(["a"]),
            Guard::builder().domain("tenant.example").client_ids([""; 0]),
            Guard::builder().domain("tenant.example").client_ids(["a", ""]),
            fine().algorithms([""; 0]),
            fine().algorithms(["HS256"]),
            fine().dpop_algorithms(["ES512"]),
            fine().scope_claim(""),
            fine().introspection(Introspection::with_secret("", "s")),
            fine().introspection(Introspection::with_secret("c", "")),
            fine().introspection(Introspection::with_private_key("c", "k", "RS256")),
            fine().introspection(Introspection::with_private_key("c", "k", "HS256")),
            fine().introspection(asking().endpoint("http://tenant.example/introspect")),
            fine().introspection(asking().remember_for(Duration::from_secs(301))),
            fine().introspection(asking()).jwks_uri("https://tenant.example/jwks"),
            fine().introspection(asking()).domain("other.example"),
            Guard::builder().resolver(Nobody).audience("api").introspection(asking()),
            fine().implies("a b", ["c"]),
            fine().implies("a", [""]),
            fine().decryption_key("-----BEGIN RSA PRIVATE KEY-----"),
            fine().mtls(Mtls::ClientCert),
            fine().mtls(Mtls::OfConnection).trusted_hops(1).public_origin("https://api.example.com"),
            fine().trusted_hops(0),
            fine().trusted_hops(1).public_origin("https://api.example.com"),
            fine().dpop_nonces([], Duration::from_secs(1)),
            fine().dpop_nonces([[0; 32]], Duration::ZERO),
            fine().jwks("{}"),
            fine().jwks(r#"{"keys":[]}"#).jwks_uri("https://tenant.example/jwks"),
            fine().jwks_uri("http://tenant.example/jwks"),
            fine().domain("other.example").jwks_uri("https://tenant.example/jwks"),
            fine().store_timeout(Duration::ZERO),
            fine().resolver_timeout(Duration::MAX),
            fine().issuer(" https://tenant.example/"),
            fine().resource(Resource::new("http://api.example.com")),
            fine().resource(Resource::new("https://api.example.com/a")).public_origin("https://example.com"),
            fine().resource(Resource::new("https://api.example.com/a")).trusted_hops(1),
            Guard::builder()
                .resolver(Nobody)
                .audience("api")
                .resource(Resource::new("https://api.example.com")),
        ] {
            let debug = format!("{builder:?}");
            assert_eq!(problems(builder).len(), 1, "{debug}");
        }
    }
}
