//! The discovery document: whether the engine takes it, and for whose. OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3.

use bearward_core::issuer::{
    IssuerUrl,
    metadata::{Metadata, MetadataError},
};
use reqwest::Url;
use serde_json::{Map, Value};

use super::{
    fetch::{self, Answer, Document, NoAnswer, in_time},
    report::{Check, Step},
};
use crate::terminal::{failure::Kind, output};

/// What is quoted of a member, at most.
const LENGTH: usize = 200;

/// Whether there is a document. What it says is for the next checks.
pub(super) fn document(answer: Result<Answer, NoAnswer>) -> Step<Document> {
    const NAME: &str = "discovery";
    let document = match fetch::document(NAME, "discovery document", answer) {
        Ok(document) => document,
        Err(check) => return (check, None),
    };
    if members(&document).is_none() {
        let message = format!("{} is not a JSON object", document.url);
        let remedy = "is this the host of a tenant, and not of a website or of a proxy that wants a login?";
        return (Check::failed(NAME, Kind::Rejected, message, remedy), None);
    }
    let message = document.url.to_string();
    in_time(NAME, message, document.took, document)
}

/// Whether the engine goes on from here: the issuer is the one that is configured, and says where its keys are.
pub(super) fn metadata(document: &Document, asked: &IssuerUrl) -> Step<Metadata> {
    const NAME: &str = "issuer";
    let metadata = match Metadata::parse(document.body.clone(), asked) {
        Ok(metadata) => metadata,
        Err(MetadataError::OtherIssuer) => return (other_issuer(document, asked), None),
        Err(error) => {
            let remedy = "an API refuses all tokens of this tenant until its discovery document is mended";
            return (Check::failed(NAME, Kind::Rejected, error.to_string(), remedy), None);
        }
    };
    let issuer = output::one_line(metadata.issuer(), LENGTH);
    let check = Check::ok(NAME, format!("{issuer}, which is what iss must be, letter for letter"));
    (
        check.with("issuer", issuer).with("jwks_uri", output::one_line(metadata.jwks_uri(), LENGTH)),
        Some(metadata),
    )
}

/// A custom domain has an issuer of its own, and one document each.
fn other_issuer(document: &Document, asked: &IssuerUrl) -> Check {
    let named = text(document, "issuer").unwrap_or_default();
    let message = format!("the document at {asked} is that of the issuer {named}");
    let remedy = match IssuerUrl::parse(&named) {
        Ok(issuer) => format!(
            "write AUTH0_DOMAIN={} if clients get their tokens there (a custom domain is an issuer of its own)",
            issuer.as_str().trim_start_matches("https://").trim_end_matches('/')
        ),
        Err(_) => "set AUTH0_DOMAIN to the domain that clients get their tokens from".to_owned(),
    };
    Check::failed("issuer", Kind::Usage, message, remedy).with("issuer", named)
}

/// Where clients get tokens, by the engine's rule. An API that only verifies does not need it.
pub(super) fn token_endpoint(document: &Document, metadata: &Metadata) -> Step<Url> {
    const NAME: &str = "token_endpoint";
    if let Some(url) = metadata.token_endpoint().and_then(|endpoint| Url::parse(endpoint).ok()) {
        let said = output::one_line(url.as_str(), LENGTH);
        return (Check::ok(NAME, said.clone()).with("token_endpoint", said), Some(url));
    }
    let Some(said) = text(document, "token_endpoint") else {
        let remedy = "nothing to do for an API that only verifies; token exchange and clients need it";
        return (Check::warning(NAME, "the discovery document names none", remedy), None);
    };
    let message = format!("{said} is not a plain https URL, or leads to a private network");
    let remedy = "a secret must not be sent there: the tenant's discovery document has to be mended";
    (Check::failed(NAME, Kind::Rejected, message, remedy), None)
}

fn members(document: &Document) -> Option<Map<String, Value>> {
    serde_json::from_slice(&document.body).ok()
}

/// A member of the document, fit for a line on a terminal.
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
        token_endpoint(&document, &Metadata::parse(document.body.clone(), &issuer).unwrap()).1
    }

    #[test]
    fn no_secret_is_sent_where_an_api_would_not_send_it() {
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
