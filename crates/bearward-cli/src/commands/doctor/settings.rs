//! The settings, checked without the network.

use bearward_core::issuer::{IssuerUrl, name::IssuerNameError};

use super::report::{Check, Checked};
use crate::{
    http::https,
    terminal::{failure::Kind, output},
};

/// Settings are cut to this length.
const LENGTH: usize = 200;

/// Whether the engine can read the domain.
pub(super) fn domain(text: Option<&str>) -> Checked<IssuerUrl> {
    const NAME: &str = "domain";
    let text = text.unwrap_or_default();
    let (host, issuer) = match IssuerUrl::parse(text) {
        Ok(issuer) => (host(&issuer), issuer),
        Err(error) => return (unusable_domain(text, error), None),
    };
    let check = if text == host {
        Check::ok(NAME, &host)
    } else {
        let message = format!("{} is used as {host}", output::one_line(text, LENGTH));
        Check::warning(NAME, message, format!("set AUTH0_DOMAIN={host}"))
    };
    (check.with("domain", host).with("issuer", issuer.as_str()), Some(issuer))
}

fn unusable_domain(text: &str, error: IssuerNameError) -> Check {
    if error == IssuerNameError::Empty {
        let remedy = "run `bearward init`, which writes it into .env; or set AUTH0_DOMAIN=tenant.eu.auth0.com there or in the environment; or give --domain";
        return Check::failed("domain", Kind::Usage, "it is not set", remedy);
    }
    let remedy = match guess(text) {
        Some(issuer) => format!("set AUTH0_DOMAIN={}", host(&issuer)),
        None => "set the host alone, as in AUTH0_DOMAIN=tenant.eu.auth0.com".to_owned(),
    };
    // It may contain a password.
    let quoted = if text.contains('@') { String::new() } else { output::one_line(text, LENGTH) + ": " };
    Check::failed("domain", Kind::Usage, format!("{quoted}{error}"), remedy)
}

/// The host that was probably meant.
fn guess(text: &str) -> Option<IssuerUrl> {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_scheme, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    IssuerUrl::parse(authority.rsplit('@').next()?).ok()
}

fn host(issuer: &IssuerUrl) -> String {
    issuer.as_str().trim_start_matches("https://").trim_end_matches('/').to_owned()
}

/// Whether the API has an identifier. It is compared byte for byte, so that white space matters.
pub(super) fn audience(text: Option<&str>) -> Checked<String> {
    const NAME: &str = "audience";
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let remedy =
            "set AUTH0_AUDIENCE, the identifier of the API, in .env or the environment, or give --audience";
        return (Check::warning(NAME, "it is not set: an API does not start without it", remedy), None);
    };
    let quoted = output::one_line(text, LENGTH);
    let check = if text.trim() == text {
        Check::ok(NAME, quoted.clone())
    } else {
        let remedy = format!("set AUTH0_AUDIENCE={}", quoted.trim());
        Check::warning(
            NAME,
            format!("{quoted:?} has white space around it, and tokens must have the same"),
            remedy,
        )
    };
    (check.with("audience", quoted), Some(text.to_owned()))
}

/// Whether the certificate authorities can be read.
pub(super) fn trust() -> Checked<()> {
    const NAME: &str = "trust";
    match https::authorities() {
        Ok(None) => (Check::ok(NAME, "the certificate authorities of this system"), Some(())),
        Ok(Some(authorities)) => {
            let count = authorities.certificates.len();
            let file = authorities.file.display().to_string();
            let certificates = if count == 1 { "1 certificate" } else { &format!("{count} certificates") };
            let message = format!("SSL_CERT_FILE: only the {certificates} in {file}");
            (Check::ok(NAME, message).with("ssl_cert_file", file).with("certificates", count), Some(()))
        }
        Err(failure) => {
            let remedy = "set SSL_CERT_FILE to a file with PEM certificates, or unset it to use the certificate authorities of this system";
            (Check::of_failure(NAME, &failure, remedy), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let check = domain(Some(text)).0;
        anstream::adapter::strip_str(&check.to_string()).to_string()
    }

    #[test]
    fn a_domain_is_shown_as_it_is_used() {
        assert_eq!(shown("tenant.auth0.com"), "ok       domain           tenant.auth0.com");
        for text in ["https://tenant.auth0.com", "tenant.auth0.com/", "Tenant.auth0.com"] {
            let shown = shown(text);
            assert!(shown.starts_with("warning  domain"), "{shown}");
            assert!(shown.contains(&format!("{text} is used as tenant.auth0.com\n")), "{shown}");
            assert!(shown.ends_with("remedy: set AUTH0_DOMAIN=tenant.auth0.com"), "{shown}");
        }
    }

    #[test]
    fn an_unusable_domain_gets_a_suggestion() {
        for text in
            ["http://Tenant.auth0.com", "tenant.auth0.com/api/v2", " tenant.auth0.com", "tenant.auth0.com?x"]
        {
            let shown = shown(text);
            assert!(shown.starts_with("failed   domain"), "{shown}");
            assert!(shown.ends_with("remedy: set AUTH0_DOMAIN=tenant.auth0.com"), "{shown}");
        }
        assert!(shown("a b").ends_with("AUTH0_DOMAIN=tenant.eu.auth0.com"));
        assert!(shown("").contains("it is not set"));
        let secret = shown("https://user:hush@tenant.auth0.com/");
        assert!(!secret.contains("hush") && secret.ends_with("AUTH0_DOMAIN=tenant.auth0.com"), "{secret}");
    }

    #[test]
    fn an_audience_is_not_changed() {
        assert!(audience(Some("https://api.example.com/")).0.to_string().contains("ok"));
        let (check, kept) = audience(Some("https://api.example.com "));
        assert!(check.to_string().contains("white space"), "{check}");
        assert_eq!(kept.as_deref(), Some("https://api.example.com "));
        assert!(audience(None).0.to_string().contains("it is not set"));
    }
}
