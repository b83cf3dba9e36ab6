//! From settings to a policy: each is checked.

use bearward_core::documents::FixedKeys;
use bearward_core::issuer::{IssuerUrl, Issuers, PrivateAddresses};
use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
use bearward_core::policy::{
    Audience, DpopMode, DpopPolicy, MutualTls, Nonces, Policy, Recipients, ReplayProtection, StatusProfile,
};
use bearward_core::{ScopeClaim, ScopeRule, is_scope_token};

use super::{Builder, Dpop, Named, Replay};
use crate::client_certificate::Mtls;

/// Quotes that shells, files and word processors put around a value.
const QUOTES: [char; 7] = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];

impl Builder {
    pub(super) fn policy(&mut self) -> Option<Policy> {
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
        let bad = names.into_iter().find(|name| !is_scope_token(name)).cloned();
        if let Some(bad) = bad {
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
