//! Which product an issuer is, by its URL and by the paths in its discovery document. Only remedies depend on it.

use bearward_core::issuer::metadata::Metadata;
use reqwest::Url;

/// A product that remedies have words for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssuerKind {
    Auth0,
    Keycloak,
    /// Entra ID, for an API that gets tokens of version 1.
    EntraV1,
    EntraV2,
    /// Okta's own authorization server.
    OktaOrg,
    OktaCustom,
    Cognito,
    Other,
}

const ENTRA_V1_HOSTS: [&str; 2] = ["sts.windows.net", "sts.chinacloudapi.cn"];
const ENTRA_HOSTS: [&str; 3] =
    ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"];
const OKTA_DOMAINS: [&str; 4] = [".okta.com", ".oktapreview.com", ".okta-emea.com", ".okta-gov.com"];

impl IssuerKind {
    pub(crate) fn of(issuer: &str, metadata: Option<&Metadata>) -> Self {
        match (Self::of_url(issuer), metadata) {
            (Self::Other, Some(metadata)) => Self::of_paths(
                &path(metadata.jwks_uri()),
                &path(metadata.token_endpoint().unwrap_or_default()),
            ),
            (known, _) => known,
        }
    }

    /// `Other`, too, if it is a custom domain of a product.
    pub(crate) fn of_url(issuer: &str) -> Self {
        let Ok(url) = Url::parse(issuer) else { return Self::Other };
        let host = url.host_str().unwrap_or_default();
        let segments: Vec<&str> = url.path().trim_matches('/').split('/').collect();
        if host.ends_with(".auth0.com") {
            Self::Auth0
        } else if ENTRA_V1_HOSTS.contains(&host) {
            Self::EntraV1
        } else if ENTRA_HOSTS.contains(&host) || host.ends_with(".ciamlogin.com") {
            if segments.last() == Some(&"v2.0") { Self::EntraV2 } else { Self::EntraV1 }
        } else if OKTA_DOMAINS.iter().any(|domain| host.ends_with(domain)) {
            if segments.first() == Some(&"oauth2") { Self::OktaCustom } else { Self::OktaOrg }
        } else if is_cognito(host, &segments) {
            Self::Cognito
        } else if matches!(segments.as_slice(), [.., "realms", _]) {
            Self::Keycloak
        } else {
            Self::Other
        }
    }

    fn of_paths(keys: &str, token: &str) -> Self {
        if keys.ends_with("/protocol/openid-connect/certs") {
            Self::Keycloak
        } else if keys.ends_with("/discovery/v2.0/keys") {
            Self::EntraV2
        } else if keys.ends_with("/discovery/keys") {
            Self::EntraV1
        } else if keys == "/oauth2/v1/keys" {
            Self::OktaOrg
        } else if keys.starts_with("/oauth2/") && keys.ends_with("/v1/keys") {
            Self::OktaCustom
        } else if keys == "/.well-known/jwks.json" && token == "/oauth/token" {
            Self::Auth0
        } else {
            Self::Other
        }
    }

    pub(crate) fn is_entra(self) -> bool {
        matches!(self, Self::EntraV1 | Self::EntraV2)
    }
}

/// The name of a user pool is that of its region, `_`, and some letters.
fn is_cognito(host: &str, segments: &[&str]) -> bool {
    let is_region = |text: &str| text.split('-').count() >= 3 && text.ends_with(|c: char| c.is_ascii_digit());
    let is_pool = |text: &str| text.split_once('_').is_some_and(|(region, _)| is_region(region));
    host.starts_with("cognito-idp.") || matches!(segments, [pool] if is_pool(pool))
}

fn path(url: &str) -> String {
    Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bearward_core::issuer::{IssuerUrl, PrivateAddresses};

    use super::*;

    #[test]
    fn a_product_is_known_by_its_url() {
        use IssuerKind::{Auth0, Cognito, EntraV1, EntraV2, Keycloak, OktaCustom, OktaOrg, Other};
        for (url, kind) in [
            ("https://tenant.eu.auth0.com/", Auth0),
            ("https://kc.example.com/realms/acme", Keycloak),
            ("https://kc.example.com/auth/realms/acme", Keycloak),
            ("https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0", EntraV2),
            ("https://acme.ciamlogin.com/11111111-2222-4333-8444-555555555555/v2.0", EntraV2),
            ("https://sts.windows.net/11111111-2222-4333-8444-555555555555/", EntraV1),
            ("https://acme.okta.com/oauth2/default", OktaCustom),
            ("https://acme.okta.com", OktaOrg),
            ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI", Cognito),
            ("https://127.0.0.1:4400/us-east-1_LocalPool", Cognito),
            ("https://accounts.google.com", Other),
            ("https://auth0.com.example.net/", Other),
            ("https://gitlab.example.com", Other),
            ("https://kc.example.com/realms/acme/more", Other),
            ("https://hydra.example.com/a_b", Other),
            ("not a URL", Other),
        ] {
            assert_eq!(IssuerKind::of_url(url), kind, "{url}");
        }
    }

    #[test]
    fn a_custom_domain_is_known_by_the_paths_of_its_document() {
        use IssuerKind::{Auth0, EntraV2, Keycloak, OktaCustom, OktaOrg, Other};
        for (keys, token, kind) in [
            ("/.well-known/jwks.json", "/oauth/token", Auth0),
            ("/.well-known/jwks.json", "/oauth2/token", Other),
            ("/x/protocol/openid-connect/certs", "/x", Keycloak),
            ("/11111111/discovery/v2.0/keys", "/x", EntraV2),
            ("/oauth2/aus1/v1/keys", "/oauth2/aus1/v1/token", OktaCustom),
            ("/oauth2/v1/keys", "/oauth2/v1/token", OktaOrg),
            ("/oauth/discovery/keys.json", "/oauth/token", Other),
        ] {
            let issuer = "https://login.example.com/x";
            let document = format!(
                r#"{{"issuer":"{issuer}","jwks_uri":"https://login.example.com{keys}","token_endpoint":"https://login.example.com{token}"}}"#
            );
            let asked = IssuerUrl::exact(issuer).unwrap();
            let metadata = Metadata::parse(document.into_bytes(), &asked, PrivateAddresses::Refused).unwrap();
            assert_eq!(IssuerKind::of(issuer, Some(&metadata)), kind, "{keys}");
        }
        assert_eq!(IssuerKind::of("https://login.example.com/x", None), Other);
    }
}
