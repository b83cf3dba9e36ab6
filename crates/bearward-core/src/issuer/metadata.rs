//! What is needed from an issuer's discovery document. OpenID Connect Discovery 1.0 §3, RFC 8414 §2.

use core::fmt;

use super::endpoints::{self, EndpointError, PrivateAddresses};
use super::name::IssuerUrl;
use crate::encoding::ParseError;
use crate::encoding::json::{JsonObject, Value};

/// An issuer's discovery document, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    issuer: String,
    jwks_uri: String,
    token_endpoint: Option<String>,
    introspection_endpoint: Option<String>,
}

/// Why a discovery document can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataError {
    /// Not a JSON object.
    NotJson(ParseError),
    /// `issuer` is missing or not a string.
    IssuerMissing,
    /// `issuer` is not the URL of an issuer.
    IssuerMalformed,
    /// `issuer` is not the issuer that published the document. RFC 8414 §3.3.
    OtherIssuer,
    /// `jwks_uri` is missing or not a string.
    JwksUriMissing,
    /// `jwks_uri` is not a plain https URL: another scheme, user info, a fragment, or not a URL.
    JwksUriMalformed,
    /// `jwks_uri` leads to this machine or to a private network, and the issuer is not there itself.
    JwksUriInternal,
}

impl Metadata {
    /// Reads the document that `asked` published. `private`: whether its keys may be at private addresses.
    pub fn parse(body: Vec<u8>, asked: &IssuerUrl, private: PrivateAddresses) -> Result<Self, MetadataError> {
        let document = JsonObject::parse(body).map_err(MetadataError::NotJson)?;
        let text = |name| document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let issuer = text("issuer").ok_or(MetadataError::IssuerMissing)?;
        if !asked.is_spelled(issuer).map_err(|_| MetadataError::IssuerMalformed)? {
            return Err(MetadataError::OtherIssuer);
        }
        let jwks_uri = text("jwks_uri").ok_or(MetadataError::JwksUriMissing)?;
        endpoints::check(jwks_uri, asked, private).map_err(MetadataError::from)?;
        // Keys are found without these endpoints. One that can't be used is left out.
        let endpoint = |name| {
            let usable = |uri: &&str| endpoints::check(uri, asked, PrivateAddresses::Refused).is_ok();
            text(name).filter(usable).map(str::to_owned)
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            jwks_uri: jwks_uri.to_owned(),
            token_endpoint: endpoint("token_endpoint"),
            introspection_endpoint: endpoint("introspection_endpoint"),
        })
    }

    /// Used in place of the document of an issuer whose keys are configured to be at `jwks_uri`.
    pub(crate) fn configured(
        issuer: &IssuerUrl,
        jwks_uri: &str,
        private: PrivateAddresses,
    ) -> Result<Self, MetadataError> {
        endpoints::check(jwks_uri, issuer, private).map_err(MetadataError::from)?;
        Ok(Self { jwks_uri: jwks_uri.to_owned(), ..Self::without_endpoints(issuer) })
    }

    /// Used in place of the document of an issuer whose keys are configured.
    pub(crate) fn without_endpoints(issuer: &IssuerUrl) -> Self {
        let issuer = issuer.as_str().to_owned();
        Self { issuer, jwks_uri: String::new(), token_endpoint: None, introspection_endpoint: None }
    }

    /// The token endpoint in a document of `asked` that lacks `issuer` or `jwks_uri`, which are not needed to ask for tokens.
    /// `None` if no token endpoint can be used, or if the document belongs to another issuer.
    pub(crate) fn token_endpoint_alone(body: Vec<u8>, asked: &IssuerUrl) -> Option<String> {
        let document = JsonObject::parse(body).ok()?;
        let text = |name| document.get(name).map(Value::as_str);
        let is_own = text("issuer")
            .is_none_or(|issuer| issuer.is_some_and(|issuer| asked.is_spelled(issuer) == Ok(true)));
        // If `jwks_uri` leads to a forbidden place, nothing in the document is trusted.
        let keys_are_harmless = text("jwks_uri").is_none_or(|uri| {
            uri.is_some_and(|uri| endpoints::check(uri, asked, PrivateAddresses::Refused).is_ok())
        });
        let endpoint = text("token_endpoint")
            .flatten()
            .filter(|uri| endpoints::check(uri, asked, PrivateAddresses::Refused).is_ok())?;
        (is_own && keys_are_harmless).then(|| endpoint.to_owned())
    }

    /// The issuer as its document writes it. `iss` must be equal, byte for byte.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where its keys are.
    pub fn jwks_uri(&self) -> &str {
        &self.jwks_uri
    }

    /// Where it gives tokens, if the document says so and the URL can be used.
    pub fn token_endpoint(&self) -> Option<&str> {
        self.token_endpoint.as_deref()
    }

    /// Where it says what a token is, if the document says so and the URL can be used. RFC 7662 §2.
    pub fn introspection_endpoint(&self) -> Option<&str> {
        self.introspection_endpoint.as_deref()
    }

    /// Whether the introspection endpoint of `issuer` may be configured to be at `url`. Nobody but the operator names it, so
    /// a private address is fine.
    pub(crate) fn check_introspection_endpoint(url: &str, issuer: &IssuerUrl) -> Result<(), MetadataError> {
        endpoints::check(url, issuer, PrivateAddresses::Allowed).map_err(MetadataError::from)
    }
}

impl From<EndpointError> for MetadataError {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Malformed => Self::JwksUriMalformed,
            EndpointError::Internal => Self::JwksUriInternal,
        }
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(error) => write!(f, "the discovery document can't be read: {error}"),
            Self::IssuerMissing => f.write_str("the discovery document has no issuer"),
            Self::IssuerMalformed => f.write_str("the discovery document's issuer is not an issuer's URL"),
            Self::OtherIssuer => f.write_str("the discovery document is another issuer's"),
            Self::JwksUriMissing => f.write_str("the discovery document has no jwks_uri"),
            Self::JwksUriMalformed => {
                f.write_str("the discovery document's jwks_uri is not a plain https URL")
            }
            Self::JwksUriInternal => {
                f.write_str("the discovery document's jwks_uri leads to a private network")
            }
        }
    }
}

impl core::error::Error for MetadataError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_keys_that_must_not_be_asked_makes_the_document_useless() {
        let parse = |jwks_uri: &str| {
            let body =
                format!(r#"{{"issuer":"https://t.example.com/","jwks_uri":"{jwks_uri}","other":[1]}}"#);
            Metadata::parse(
                body.into_bytes(),
                &IssuerUrl::parse("t.example.com").unwrap(),
                PrivateAddresses::Refused,
            )
        };
        let good = "https://t.example.com/.well-known/jwks.json";
        assert_eq!(parse(good).unwrap().jwks_uri(), good);
        assert_eq!(parse("https://10.0.0.1/jwks"), Err(MetadataError::JwksUriInternal));
        assert_eq!(parse("http://t.example.com/jwks"), Err(MetadataError::JwksUriMalformed));
    }

    #[test]
    fn a_token_endpoint_that_leads_inside_is_none() {
        let endpoint = |uri: &str| {
            let body = format!(
                r#"{{"issuer":"https://t.example.com/","jwks_uri":"https://t.example.com/jwks","token_endpoint":{uri}}}"#
            );
            let asked = IssuerUrl::parse("t.example.com").unwrap();
            Metadata::parse(body.into_bytes(), &asked, PrivateAddresses::Refused)
                .unwrap()
                .token_endpoint()
                .map(str::to_owned)
        };
        let good = "https://t.example.com/oauth/token";
        assert_eq!(endpoint(&format!("\"{good}\"")).as_deref(), Some(good));
        for bad in [
            "\"http://t.example.com/\"",
            "\"https://10.0.0.1/\"",
            "\"https://u@t.example.com/\"",
            "7",
            "\"\"",
        ] {
            assert_eq!(endpoint(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_document_that_says_little_may_still_say_where_tokens_are_given() {
        let asked = IssuerUrl::parse("t.example.com").unwrap();
        let endpoint = |members: &str| {
            let body = format!(r#"{{{members}"token_endpoint":"https://t.example.com/oauth/token"}}"#);
            Metadata::token_endpoint_alone(body.into_bytes(), &asked)
        };
        for enough in
            ["", r#""issuer":"https://t.example.com/","#, r#""jwks_uri":"https://t.example.com/jwks","#]
        {
            assert!(endpoint(enough).is_some(), "{enough}");
        }
        for suspicious in [
            r#""issuer":"https://evil.example/","#,
            r#""issuer":7,"#,
            r#""issuer":"","#,
            r#""jwks_uri":"https://10.0.0.1/","#,
            r#""jwks_uri":null,"#,
            r#""token_endpoint":"https://evil.example/","#,
        ] {
            assert_eq!(endpoint(suspicious), None, "{suspicious}");
        }
        let inside = br#"{"token_endpoint":"https://10.0.0.1/"}"#.to_vec();
        assert_eq!(Metadata::token_endpoint_alone(inside, &asked), None);
    }

    #[test]
    fn the_issuer_is_the_one_asked() {
        let asked = IssuerUrl::parse("t.example.com").unwrap();
        let parse = |text: &str| Metadata::parse(text.as_bytes().to_vec(), &asked, PrivateAddresses::Refused);
        assert_eq!(
            parse(r#"{"issuer":"https://evil.example/","jwks_uri":"x"}"#),
            Err(MetadataError::OtherIssuer)
        );
        assert_eq!(parse(r#"{"jwks_uri":"x"}"#), Err(MetadataError::IssuerMissing));
        assert_eq!(parse(r#"{"issuer":["https://t.example.com/"]}"#), Err(MetadataError::IssuerMissing));
        assert_eq!(parse(r#"{"issuer":"http://t.example.com/"}"#), Err(MetadataError::IssuerMalformed));
        assert_eq!(parse(r#"{"issuer":"https://t.example.com"}"#), Err(MetadataError::JwksUriMissing));
        assert!(matches!(parse("<html>"), Err(MetadataError::NotJson(_))));
    }
}
