//! From settings to a guard: each is checked, and all that is wrong is told at once.

use core::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bearward_core::documents::FixedKeys;
use bearward_core::http::forwarded::{PublicOrigin, PublicUrl};
use bearward_core::issuer::{IssuerUrl, Issuers, PrivateAddresses};
use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
use bearward_core::policy::{
    self,     Audience, DecryptionKeys, DpopMode, DpopPolicy, MutualTls, Nonces, Policy, Recipients, ReplayProtection, StatusProfile,
};
use bearward_core::{ProtectedResource, ScopeClaim, ScopeRule, Verifier, is_scope_token, limits};

use super::{Builder, Dpop, Named, Replay};
use crate::client_certificate::Mtls;
use crate::config_error::ConfigError;
use crate::decisions::Observers;
use crate::driver::{
    BoundedStore, ClientAuthentication, Driver, Fetcher, Introspector, Keeper, OwnMemory, Resolving, StoreState,
    WhileFailing,
};
use crate::extend::DynTransport;
use crate::guard::Guard;
use crate::inner::{Inner, Login};
use crate::refused::BodyStyle;
use crate::resource::Published;

/// Quotes that shells, files and word processors put around a value.
const QUOTES: [char; 7] = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];

impl Builder {
    /// The guard. This opens no connection, needs no runtime and waits for nothing.
    ///
    /// # Errors
    ///
    /// Settings are missing or can't be used. The error names all of them.
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

    fn policy(&mut self) -> Option<Policy> {
        let issuers = self.issuers();
        let recipients = self.recipients();
        let algorithms = self.algorithms.take();
        let algorithms = self.algorithm_set("algorithms", algorithms, Algorithm::RS256, |_| true);
        let dpop = self.dpop_policy();
        let scopes = self.scope_rule();
        let decryption_keys = self.opening();
        let introspection = self.asking(issuers.as_ref());
        let fixed_keys = self.fixed_keys(issuers.as_ref(), algorithms.as_ref());
        let private =
            if self.allow_private_jwks { PrivateAddresses::Allowed } else { PrivateAddresses::Refused };
        let statuses = if self.compatible_answers { StatusProfile::Compatible } else { StatusProfile::Rfc };
        let policy = Policy::new(issuers?, recipients?)
            .with_scopes(scopes)
            .with_algorithms(algorithms?)
            .with_leeway(self.leeway)
            .with_token_limit(self.token_bytes)
            .with_document_ceiling(self.document_ceiling)
            .with_issuers_kept(self.issuers_kept)
            .with_tokens_remembered(self.tokens_remembered)
            .with_private_addresses(private)
            .with_statuses(statuses)
            .with_mutual_tls(self.mtls.map_or(MutualTls::Off, Mtls::for_engine))
            .with_dpop(dpop?);
        let policy = fixed_keys.into_iter().fold(policy, Policy::with_fixed_keys);
        let policy = decryption_keys.into_iter().fold(policy, Policy::with_decryption_keys);
        Some(introspection.into_iter().fold(policy, Policy::with_introspection))
    }

    fn issuers(&mut self) -> Option<Issuers> {
        if self.resolver.is_some() {
            if !self.issuers.is_empty() {
                self.problem("Give a resolver, or issuers, not both.");
            }
            return Some(Issuers::resolved());
        }
        if self.issuers.is_empty() {
            self.problem("No issuer: name one with domain(..) or issuer(..). from_env() reads AUTH0_DOMAIN or BEARWARD_ISSUER.");
            return None;
        }
        let mut read = Vec::new();
        for named in core::mem::take(&mut self.issuers) {
            let (setting, text, issuer) = match &named {
                Named::Domain(text) => ("domain", text, IssuerUrl::parse(text.trim())),
                Named::Exact(text) => ("issuer", text, IssuerUrl::exact(text)),
            };
            if let Some(problem) = bare(setting, text) {
                self.problem(problem);
            } else {
                match issuer {
                    Ok(issuer) => read.push(issuer),
                    Err(error) => self.problem(format!("{setting} ({text:?}): {error}.")),
                }
            }
            self.issuers.push(named);
        }
        let mut read = read.into_iter();
        let first = read.next()?;
        Some(if read.len() == 0 { Issuers::single(first) } else { Issuers::any_of(first, read) })
    }

    fn recipients(&mut self) -> Option<Recipients> {
        if let Some(ids) = self.client_ids.clone() {
            if !self.audiences.is_empty() {
                self.problem("client_ids is for tokens without `aud`: give no audience with it.");
            }
            let mut ids = ids.into_iter();
            let recipients = ids.next().and_then(|first| Recipients::clients(&first, ids).ok());
            if recipients.is_none() {
                self.problem("client_ids must name at least one client, and none may be empty.");
            }
            return recipients;
        }
        if self.audiences.is_empty() {
            self.problem("No audience: name this API with audience(..), as tokens name it in `aud`. from_env() reads AUTH0_AUDIENCE or BEARWARD_AUDIENCE.");
            return None;
        }
        let mut read = Vec::new();
        for audience in self.audiences.clone() {
            match (bare("audience", &audience), Audience::new(audience.trim())) {
                (None, Ok(audience)) => read.push(audience),
                (Some(problem), _) => self.problem(problem),
                (None, Err(_)) => self.problem("audience must not be empty."),
            }
        }
        let mut read = read.into_iter();
        read.next().map(|first| Recipients::any_of(first, read))
    }

    fn scope_rule(&mut self) -> ScopeRule {
        let names = self.implied.iter().flat_map(|(scope, implied)| implied.iter().chain([scope]));
        if let Some(bad) = names.into_iter().find(|name| !is_scope_token(name)).cloned() {
            self.problem(format!("implies: {bad:?} is no scope (RFC 6749 section 3.3)."));
        }
        ScopeRule::of(self.scope_claim_setting()).implying(&self.implied)
    }

    fn scope_claim_setting(&mut self) -> ScopeClaim {
        let has_exact = self.issuers.iter().any(|named| matches!(named, Named::Exact(_)));
        if self.scope_claims.iter().any(String::is_empty) {
            self.problem("scope_claim must be the name of a claim.");
        }
        match self.scope_claims.as_slice() {
            [] if has_exact => ScopeClaim::ScopeOrScp,
            [] => ScopeClaim::Scope,
            [name] => ScopeClaim::Named(name.clone()),
            several => ScopeClaim::Merged(several.to_vec()),
        }
    }

    fn fixed_keys(
        &mut self,
        issuers: Option<&Issuers>,
        algorithms: Option<&AlgorithmSet>,
    ) -> Option<FixedKeys> {
        let (uri, set) = (self.jwks_uri.take(), self.jwks.take());
        if uri.is_none() && set.is_none() {
            return None;
        }
        let mut configured = issuers?.configured();
        let (Some(issuer), None) = (configured.next().cloned(), configured.next()) else {
            self.problem("jwks_uri and jwks are the keys of one issuer: give one issuer.");
            return None;
        };
        let keys = match (uri, set) {
            (Some(uri), None) => FixedKeys::at(issuer, &uri).map_err(|error| format!("jwks_uri: {error}.")),
            (None, Some(set)) => FixedKeys::set(issuer, set.into_bytes(), algorithms?)
                .map_err(|error| format!("jwks: {error}.")),
            _ => Err("Give jwks_uri or jwks, not both.".to_owned()),
        };
        keys.map_err(|problem| self.problem(problem)).ok()
    }

    /// What is asked about opaque tokens. `None`: nothing, or what is given can't be used.
    fn asking(&mut self, issuers: Option<&Issuers>) -> Option<policy::Introspection> {
        let given = self.introspection.clone()?;
        if given.remembered > limits::INTROSPECTION_REMEMBERED_AT_MOST {
            self.problem(format!(
                "introspection: answers are remembered for {:?} at most, since a revoked token is accepted so long.",
                limits::INTROSPECTION_REMEMBERED_AT_MOST
            ));
        }
        if given.endpoint.is_none() && (self.jwks.is_some() || self.jwks_uri.is_some()) {
            self.problem(
                "introspection needs endpoint(..) here: with jwks or jwks_uri, no discovery document names it.",
            );
        }
        let mut configured = issuers?.configured();
        let (Some(issuer), None) = (configured.next().cloned(), configured.next()) else {
            self.problem("introspection needs one issuer: an opaque token does not say whose it is.");
            return None;
        };
        let policy = policy::Introspection::by(issuer).remembered_for(given.remembered);
        let Some(endpoint) = given.endpoint else { return Some(policy) };
        let policy = policy.at(&endpoint).ok();
        if policy.is_none() {
            self.problem(format!(
                "introspection: the endpoint ({endpoint:?}) must be a plain https URL, and not link-local."
            ));
        }
        policy
    }

    /// How this API authenticates when it asks.
    fn client(&mut self) -> Option<ClientAuthentication> {
        let client = self.introspection.as_ref()?.client();
        client.map_err(|error| self.problem(format!("introspection: {error}."))).ok()
    }

    /// The keys that open encrypted tokens. `None`: none, or ones that can't be used.
    fn opening(&mut self) -> Option<DecryptionKeys> {
        let given = core::mem::take(&mut self.decryption_keys);
        if given.is_empty() {
            return None;
        }
        let keys = given.iter().map(|(kid, pem)| (kid.as_deref(), pem.as_str()));
        DecryptionKeys::from_pem(keys).map_err(|error| self.problem(format!("decryption_key: {error}."))).ok()
    }

    fn algorithm_set(
        &mut self,
        setting: &str,
        names: Option<Vec<String>>,
        default: Algorithm,
        is_fit: impl Fn(Algorithm) -> bool,
    ) -> Option<AlgorithmSet> {
        let Some(names) = names else { return Some(AlgorithmSet::new(default, [])) };
        let mut read = Vec::new();
        for name in &names {
            match Algorithm::from_name(name).filter(|algorithm| is_fit(*algorithm)) {
                Some(algorithm) => read.push(algorithm),
                None => self.problem(format!("{setting}: {name:?} is not supported.")),
            }
        }
        if names.is_empty() {
            self.problem(format!("{setting} must name at least one algorithm."));
        }
        let mut read = read.into_iter();
        read.next().map(|first| AlgorithmSet::new(first, read))
    }

    fn dpop_policy(&mut self) -> Option<DpopPolicy> {
        let names = self.dpop_algorithms.take();
        let for_proofs = |algorithm| Algorithm::for_proofs().any(|known| known == algorithm);
        let algorithms = self.algorithm_set("dpop_algorithms", names, Algorithm::ES256, for_proofs);
        let mode = match self.dpop {
            Dpop::Off => DpopMode::Off,
            Dpop::Accepted => DpopMode::Accepted,
            Dpop::Required => DpopMode::Required,
        };
        let replay = match self.replay {
            Replay::InProcess => ReplayProtection::InProcess,
            Replay::Shared(_) => ReplayProtection::Shared,
            Replay::Off => ReplayProtection::Off,
        };
        let policy = DpopPolicy::new(mode).with_algorithms(algorithms?).with_replay_protection(replay);
        let policy = match self.dpop_window {
            Some((ago, ahead)) => policy.with_window(ago, ahead),
            None => policy,
        };
        let Some((keys, lifetime)) = self.nonces.take() else { return Some(policy) };
        if lifetime.is_zero() {
            self.problem("dpop_nonces: the lifetime must be more than zero.");
        }
        let Some((first, others)) = keys.split_first() else {
            self.problem("dpop_nonces needs at least one key.");
            return None;
        };
        let nonces = others.iter().fold(Nonces::new(first, lifetime), Nonces::also_taking);
        Some(policy.with_nonces(nonces))
    }

    /// What is published. `None`: nothing, or what is given can't be.
    fn checked_resource(&mut self) -> Option<ProtectedResource> {
        let given = self.resource.take()?;
        if self.resolver.is_some() && !given.names_authorization_servers() {
            self.problem(
                "resource: name its issuers with authorization_server(..), since a resolver names those of requests.",
            );
        }
        match given.check() {
            Ok(resource) => Some(resource),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    fn public_url(&mut self, resource: Option<&ProtectedResource>) -> Option<PublicUrl> {
        let given = self.public_origin.as_deref().map(|origin| origin.strip_suffix('/').unwrap_or(origin));
        if let Some((given, resource)) = given.zip(resource)
            && given != resource.origin()
        {
            self.problem("public_origin is another origin than that of the resource: leave it out.");
            return None;
        }
        let in_field = self.mtls.is_some_and(Mtls::is_of_a_proxy);
        if in_field && self.trusted_hops.is_none() {
            self.problem(
                "mtls: a field of a proxy counts only behind a proxy that writes it: say with trusted_hops(..) how many there are.",
            );
        }
        let origin = resource.map(|resource| resource.origin().to_owned()).or(self.public_origin.clone());
        match (&origin, self.trusted_hops) {
            (None, None) => Some(PublicUrl::FromRequest),
            (Some(_), Some(_)) if !in_field => {
                self.problem(
                    "Give trusted_hops, or public_origin or a resource, not both: an origin is the same for all requests.",
                );
                None
            }
            (Some(origin), _) => {
                let parsed = PublicOrigin::parse(origin).ok();
                if parsed.is_none() {
                    let problem = format!(
                        "public_origin ({origin:?}) must be scheme and host alone: https://api.example.com."
                    );
                    self.problem(problem);
                }
                parsed.map(PublicUrl::Fixed)
            }
            (None, Some(hops)) => {
                let hops = NonZeroUsize::new(hops);
                if hops.is_none() {
                    self.problem("trusted_hops must be at least 1.");
                }
                hops.map(|trusted_hops| PublicUrl::FromProxies { trusted_hops })
            }
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

fn bare(setting: &str, value: &str) -> Option<String> {
    if value.starts_with(QUOTES) || value.ends_with(QUOTES) {
        return Some(format!("{setting} is in quotes: remove them. The value is {value:?}."));
    }
    let trimmed = if setting == "issuer" { value } else { value.trim() };
    if trimmed.chars().any(char::is_control) {
        return Some(format!("{setting} has control characters: remove them. The value is {value:?}."));
    }
    None
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
        for builder in [
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
            fine().introspection(asking()).jwks(r#"{"keys":[]}"#),
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
