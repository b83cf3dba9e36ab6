//! The discovery document: whether the engine accepts it. OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3.

use bearward_core::issuer::{
    IssuerUrl, PrivateAddresses,
    metadata::{Metadata, MetadataError},
};
use reqwest::Url;
use serde_json::{Map, Value};

use super::{
    fetch::{self, Document, HttpResponse, NoResponse, timed},
    report::{Check, Checked},
};
use crate::{
    tenant::configured::ConfiguredIssuer,
    terminal::{failure::Kind, output},
};

/// Members are cut to this length.
const LENGTH: usize = 200;

/// Whether there is a document. The next checks read it.
pub(super) fn document(answer: Result<HttpResponse, NoResponse>) -> Checked<Document> {
    const NAME: &str = "discovery";
    let document = match fetch::document(NAME, "discovery document", answer) {
        Ok(document) => document,
        Err(check) => return (check, None),
    };
    if members(&document).is_none() {
        let message = format!("{} is not a JSON object", document.url);
        let remedy = "is this the URL of an issuer? It may be a website, or a proxy that requires a login";
        return (Check::failed(NAME, Kind::Rejected, message, remedy), None);
    }
    let message = document.url.to_string();
    timed(NAME, message, document.took, document)
}

/// Whether the document is of the configured issuer and names its key set.
pub(super) fn metadata(
    document: &Document,
    asked: &ConfiguredIssuer,
    private: PrivateAddresses,
) -> Checked<Metadata> {
    const NAME: &str = "issuer";
    let metadata = match Metadata::parse(document.body.clone(), asked.url(), private) {
        Ok(metadata) => metadata,
        Err(MetadataError::OtherIssuer) => return (other_issuer(document, asked), None),
        Err(error) => {
            let remedy = remedy(error, &text(document, "issuer").unwrap_or_default());
            return (Check::failed(NAME, Kind::Rejected, error.to_string(), remedy), None);
        }
    };
    let issuer = output::one_line(metadata.issuer(), LENGTH);
    let check = Check::ok(NAME, format!("{issuer}; `iss` in tokens must be exactly this"));
    (
        check.with("issuer", issuer).with("jwks_uri", output::one_line(metadata.jwks_uri(), LENGTH)),
        Some(metadata),
    )
}

fn remedy(error: MetadataError, issuer: &str) -> &'static str {
    match error {
        MetadataError::IssuerMalformed if issuer.contains("{tenantid}") => {
            "this document is for all tenants of Entra ID: set BEARWARD_ISSUER to the issuer of one, with its id in place of {tenantid}. An API for several tenants names them by a resolver"
        }
        MetadataError::JwksUriInternal => {
            "if the issuer runs in your own network, let the API use it: `allow_private_jwks=True`, here --allow-private-jwks. Otherwise the issuer's discovery document must be corrected"
        }
        MetadataError::NotJson(_)
        | MetadataError::IssuerMissing
        | MetadataError::IssuerMalformed
        | MetadataError::OtherIssuer
        | MetadataError::JwksUriMissing
        | MetadataError::JwksUriMalformed
        | _ => "APIs refuse all tokens of this issuer until its discovery document is corrected",
    }
}

/// A custom domain has its own issuer and document.
fn other_issuer(document: &Document, asked: &ConfiguredIssuer) -> Check {
    let named = text(document, "issuer").unwrap_or_default();
    let message = format!("the document at {} names another issuer, {named}", asked.url());
    let remedy = match (asked, IssuerUrl::parse(&named), IssuerUrl::exact(&named)) {
        (ConfiguredIssuer::Domain(_), Ok(issuer), _) => format!(
            "set AUTH0_DOMAIN={} if clients get their tokens there (a custom domain is a separate issuer)",
            issuer.as_str().trim_start_matches("https://").trim_end_matches('/')
        ),
        (_, _, Ok(issuer)) => {
            format!("set BEARWARD_ISSUER={issuer} if tokens have that in `iss`: it is compared byte for byte")
        }
        (ConfiguredIssuer::Domain(_), _, Err(_)) => {
            "set AUTH0_DOMAIN to the domain that clients get their tokens from".to_owned()
        }
        (ConfiguredIssuer::Exact(_), _, Err(_)) => {
            "set BEARWARD_ISSUER to the URL that tokens have in `iss`".to_owned()
        }
    };
    Check::failed("issuer", Kind::Usage, message, remedy).with("issuer", named)
}

/// Where clients get tokens, by the engine's rule. APIs that only verify tokens do not need it.
pub(super) fn token_endpoint(document: &Document, metadata: &Metadata) -> Checked<Url> {
    const NAME: &str = "token_endpoint";
    if let Some(url) = metadata.token_endpoint().and_then(|endpoint| Url::parse(endpoint).ok()) {
        let said = output::one_line(url.as_str(), LENGTH);
        return (Check::ok(NAME, said.clone()).with("token_endpoint", said), Some(url));
    }
    let Some(said) = text(document, "token_endpoint") else {
        let remedy = "APIs that only verify tokens don't need it; token exchange and clients do";
        return (Check::warning(NAME, "the discovery document has no token_endpoint", remedy), None);
    };
    let message = format!("{said} is not a plain https URL, or is in a private network");
    let remedy = "secrets must not be sent there: the issuer's discovery document must be corrected";
    (Check::failed(NAME, Kind::Rejected, message, remedy), None)
}

fn members(document: &Document) -> Option<Map<String, Value>> {
    serde_json::from_slice(&document.body).ok()
}

/// A member of the document, safe to print.
fn text(document: &Document, member: &str) -> Option<String> {
    let members = members(document)?;
    Some(output::one_line(members.get(member)?.as_str()?, LENGTH))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;

    fn endpoint(said: &str) -> Option<Url> {
        let issuer = IssuerUrl::parse("t.example.com").unwrap();
        let members = json!({ "issuer": issuer.as_str(), "jwks_uri": "https://t.example.com/jwks", "token_endpoint": said });
        let document = Document {
            url: issuer.discovery_url().parse().unwrap(),
            headers: HeaderMap::new(),
            body: members.to_string().into_bytes(),
            took: Duration::ZERO,
        };
        token_endpoint(
            &document,
            &Metadata::parse(document.body.clone(), &issuer, PrivateAddresses::Refused).unwrap(),
        )
        .1
    }

    #[test]
    fn secrets_are_sent_only_where_an_api_would_send_them() {
        let good = "https://login.example.com/oauth/token";
        assert_eq!(endpoint(good).unwrap().as_str(), good);
        for bad in [
            "https://10.0.0.1/",
            "https://169.254.169.254/",
            "https://localhost/",
            "http://t.example.com/",
            "",
        ] {
            assert_eq!(endpoint(bad), None, "{bad}");
        }
    }
}
