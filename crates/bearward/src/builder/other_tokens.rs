//! Checks the settings for tokens that are not plain JWTs: encrypted and opaque ones.

use bearward_core::issuer::Issuers;
use bearward_core::limits;
use bearward_core::policy::{DecryptionKeys, Introspection};

use super::Builder;
use crate::driver::ClientAuthentication;

impl Builder {
    /// What is asked about opaque tokens. `None`: nothing, or what is given can't be used.
    pub(super) fn asking(&mut self, issuers: Option<&Issuers>) -> Option<Introspection> {
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
        let policy = Introspection::by(issuer).remembered_for(given.remembered);
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
    pub(super) fn client(&mut self) -> Option<ClientAuthentication> {
        let client = self.introspection.as_ref()?.client();
        client.map_err(|error| self.problem(format!("introspection: {error}."))).ok()
    }

    /// The keys that open encrypted tokens. `None`: none, or ones that can't be used.
    pub(super) fn opening(&mut self) -> Option<DecryptionKeys> {
        let given = core::mem::take(&mut self.decryption_keys);
        if given.is_empty() {
            return None;
        }
        let keys = given.iter().map(|(kid, pem)| (kid.as_deref(), pem.as_str()));
        DecryptionKeys::from_pem(keys).map_err(|error| self.problem(format!("decryption_key: {error}."))).ok()
    }
}
