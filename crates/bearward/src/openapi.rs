//! The security schemes of a guard, for OpenAPI documents.

use bearward_core::issuer::IssuerUrl;
use bearward_core::policy::DpopMode;

use crate::guard::Guard;
use crate::text::{percent_encoded, push_text};

/// Of a scheme's name, OpenAPI 3.1 §4.8.7.1 allows these characters and `-`.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_')
}

/// RFC 3986 §2.3
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

impl Guard {
    /// The name of the scheme that requests authenticate by, in [`openapi`](Self::openapi) and for `aide`.
    ///
    /// ```
    /// assert_eq!(bearward::Guard::SECURITY_SCHEME, "AccessToken");
    /// ```
    pub const SECURITY_SCHEME: &str = "AccessToken";

    /// The JSON of `components.securitySchemes`, for utoipa and others: how requests authenticate, and where users log in.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("https://api.example.com").build()?;
    /// let schemes: serde_json::Value = serde_json::from_str(&guard.openapi()).unwrap();
    /// assert_eq!(schemes["AccessToken"]["scheme"], "bearer");
    /// assert_eq!(schemes["Auth0-api.example.com"]["type"], "oauth2");
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn openapi(&self) -> String {
        let mut json = String::from("{");
        push_text(&mut json, Self::SECURITY_SCHEME);
        json.push(':');
        self.push_scheme(&mut json);
        let issuers = &mut self.0.driver.verifier.policy().issuers().configured().collect::<Vec<_>>();
        issuers.sort_by_key(|issuer| issuer.as_str());
        if let Some(issuer) = issuers.first() {
            json.push(',');
            self.push_login(&mut json, issuer);
        }
        json.push('}');
        json
    }

    fn push_scheme(&self, json: &mut String) {
        let (scheme, description) = match self.0.driver.verifier.policy().dpop_mode() {
            DpopMode::Off => ("bearer", "An access token."),
            DpopMode::Accepted => (
                "bearer",
                "An access token. One that is bound to a key is accepted in the DPoP scheme only (RFC 9449), with a proof for each request.",
            ),
            DpopMode::Required => (
                "dpop",
                "An access token that is bound to a key, with a proof for each request (DPoP, RFC 9449).",
            ),
        };
        json.push_str(r#"{"type":"http","scheme":"#);
        push_text(json, scheme);
        if scheme == "bearer" {
            json.push_str(r#","bearerFormat":"JWT""#);
        }
        json.push_str(r#","description":"#);
        push_text(json, description);
        json.push('}');
    }

    fn push_login(&self, json: &mut String, issuer: &IssuerUrl) {
        let login = &self.0.login;
        let Some(audience) = login.audience.as_deref().filter(|_| !issuer.is_exact()) else {
            push_text(json, &name("OpenID-", issuer.as_str()));
            json.push_str(r#":{"type":"openIdConnect","openIdConnectUrl":"#);
            push_text(json, &issuer.discovery_url());
            return json.push('}');
        };
        push_text(json, &name("Auth0-", audience));
        json.push_str(r#":{"type":"oauth2","flows":{"authorizationCode":{"authorizationUrl":"#);
        push_text(json, &format!("{issuer}authorize?audience={}", percent_encoded(audience, is_unreserved)));
        json.push_str(r#","tokenUrl":"#);
        push_text(json, &format!("{issuer}oauth/token"));
        json.push_str(r#","scopes":{"#);
        for (place, (scope, description)) in login.scope_descriptions.iter().enumerate() {
            if place > 0 {
                json.push(',');
            }
            push_text(json, scope);
            json.push(':');
            push_text(json, description);
        }
        json.push_str("}}}}");
    }
}

/// With the issuer or the audience, for documents of two guards.
fn name(prefix: &str, of: &str) -> String {
    let of = of.split_once("://").map_or(of, |(_, rest)| rest);
    let words = of.split(|character| !is_plain(character)).filter(|word| !word.is_empty());
    format!("{prefix}{}", words.collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn schemes(builder: crate::Builder) -> Value {
        serde_json::from_str(&builder.build().unwrap().openapi()).unwrap()
    }

    #[test]
    fn auth0s_login_is_oauth2_and_any_others_is_openid_connect() {
        let auth0 = Guard::builder()
            .domain("tenant.example")
            .audience("https://api.example.com/v1?\"x")
            .scope_description("read:messages", "Read \"messages\"")
            .scope_description("write:messages", "Write");
        assert_eq!(
            schemes(auth0)["Auth0-api.example.com-v1-x"]["flows"]["authorizationCode"],
            json!({
                "authorizationUrl": "https://tenant.example/authorize?audience=https%3A%2F%2Fapi.example.com%2Fv1%3F%22x",
                "tokenUrl": "https://tenant.example/oauth/token",
                "scopes": {"read:messages": "Read \"messages\"", "write:messages": "Write"},
            })
        );
        let keycloak = Guard::builder().issuer("https://kc.example.com/realms/a").audience("api");
        assert_eq!(
            schemes(keycloak)["OpenID-kc.example.com-realms-a"],
            json!({
                "type": "openIdConnect",
                "openIdConnectUrl": "https://kc.example.com/realms/a/.well-known/openid-configuration",
            })
        );
    }

    #[test]
    fn the_scheme_is_the_one_that_is_accepted() {
        let builder = || Guard::builder().domain("tenant.example").audience("api");
        assert_eq!(schemes(builder().dpop(crate::Dpop::Required))["AccessToken"]["scheme"], "dpop");
        assert_eq!(schemes(builder().dpop(crate::Dpop::Off))["AccessToken"]["scheme"], "bearer");
    }
}
