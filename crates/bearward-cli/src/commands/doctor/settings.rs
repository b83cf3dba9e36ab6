//! What is configured, before anybody is asked.

use bearward_core::issuer::{IssuerUrl, name::IssuerNameError};

use super::report::{Check, Step};
use crate::{
    http::https,
    terminal::{failure::Kind, output},
};

/// What is quoted of a setting, at most.
const LENGTH: usize = 200;

/// Whether the domain names a tenant as the engine reads it.
pub(super) fn domain(text: Option<&str>) -> Step<IssuerUrl> {
    const NAME: &str = "domain";
    let text = text.unwrap_or_default();
    let (host, issuer) = match IssuerUrl::parse(text) {
        Ok(issuer) => (host(&issuer), issuer),
        Err(error) => return (unusable_domain(text, error), None),
    };
    let check = if text == host {
        Check::ok(NAME, &host)
    } else {
        let message = format!("{} is taken for {host}", output::one_line(text, LENGTH));
        Check::warning(NAME, message, format!("write AUTH0_DOMAIN={host}"))
    };
    (check.with("domain", host).with("issuer", issuer.as_str()), Some(issuer))
}

fn unusable_domain(text: &str, error: IssuerNameError) -> Check {
    if error == IssuerNameError::Empty {
        let remedy = "`bearward init` writes it into .env; or put AUTH0_DOMAIN=tenant.eu.auth0.com there or into the environment, or give --domain";
        return Check::failed("domain", Kind::Usage, "there is none", remedy);
    }
    let remedy = match guess(text) {
        Some(issuer) => format!("write AUTH0_DOMAIN={}", host(&issuer)),
        None => "write the host alone, as in AUTH0_DOMAIN=tenant.eu.auth0.com".to_owned(),
    };
    // There may be a password in it.
    let quoted = if text.contains('@') { String::new() } else { output::one_line(text, LENGTH) + ": " };
    Check::failed("domain", Kind::Usage, format!("{quoted}{error}"), remedy)
}

/// The host that is probably meant.
fn guess(text: &str) -> Option<IssuerUrl> {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_scheme, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    IssuerUrl::parse(authority.rsplit('@').next()?).ok()
}

fn host(issuer: &IssuerUrl) -> String {
    issuer.as_str().trim_start_matches("https://").trim_end_matches('/').to_owned()
}

/// Whether the API knows its identifier. It is compared byte for byte, so that white space in it matters.
pub(super) fn audience(text: Option<&str>) -> Step<String> {
    const NAME: &str = "audience";
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let remedy =
            "put AUTH0_AUDIENCE, the identifier of the API, into .env or the environment, or give --audience";
        return (Check::warning(NAME, "there is none: an API does not start without it", remedy), None);
    };
    let quoted = output::one_line(text, LENGTH);
    let check = if text.trim() == text {
        Check::ok(NAME, quoted.clone())
    } else {
        let remedy = format!("write AUTH0_AUDIENCE={}", quoted.trim());
        Check::warning(NAME, format!("{quoted:?} has white space around it, which counts"), remedy)
    };
    (check.with("audience", quoted), Some(text.to_owned()))
}

/// Whether the certificate authorities to trust can be read.
pub(super) fn trust() -> Step<()> {
    const NAME: &str = "trust";
    match https::authorities() {
        Ok(None) => (Check::ok(NAME, "the certificate authorities of this system"), Some(())),
        Ok(Some(authorities)) => {
            let count = authorities.certificates.len();
            let file = authorities.file.display().to_string();
            let certificates = if count == 1 { "1 certificate" } else { &format!("{count} certificates") };
            let message = format!("SSL_CERT_FILE: {certificates} in {file}, and no others");
            (Check::ok(NAME, message).with("ssl_cert_file", file).with("certificates", count), Some(()))
        }
        Err(failure) => {
            let remedy = "let SSL_CERT_FILE name a file with PEM certificates, or unset it to trust what this system trusts";
            (Check::of_failure(NAME, &failure, remedy), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let check = domain(Some(text)).0;
        anstream::adapter::strip_str(&check.to_string()).to_string()
    }

    #[test]
    fn a_domain_is_told_as_it_will_be_taken() {
        assert_eq!(told("tenant.auth0.com"), "ok       domain           tenant.auth0.com");
        for text in ["https://tenant.auth0.com", "tenant.auth0.com/", "Tenant.auth0.com"] {
            let told = told(text);
            assert!(told.starts_with("warning  domain"), "{told}");
            assert!(told.contains(&format!("{text} is taken for tenant.auth0.com\n")), "{told}");
            assert!(told.ends_with("remedy: write AUTH0_DOMAIN=tenant.auth0.com"), "{told}");
        }
    }

    #[test]
    fn a_domain_that_is_none_gets_the_one_that_is_meant() {
        for text in
            ["http://Tenant.auth0.com", "tenant.auth0.com/api/v2", " tenant.auth0.com", "tenant.auth0.com?x"]
        {
            let told = told(text);
            assert!(told.starts_with("failed   domain"), "{told}");
            assert!(told.ends_with("remedy: write AUTH0_DOMAIN=tenant.auth0.com"), "{told}");
        }
        assert!(told("a b").ends_with("AUTH0_DOMAIN=tenant.eu.auth0.com"));
        assert!(told("").contains("there is none"));
        let secret = told("https://user:hush@tenant.auth0.com/");
        assert!(!secret.contains("hush") && secret.ends_with("AUTH0_DOMAIN=tenant.auth0.com"), "{secret}");
    }

    #[test]
    fn an_audience_is_taken_as_it_is() {
        assert!(audience(Some("https://api.example.com/")).0.to_string().contains("ok"));
        let (check, kept) = audience(Some("https://api.example.com "));
        assert!(check.to_string().contains("white space"), "{check}");
        assert_eq!(kept.as_deref(), Some("https://api.example.com "));
        assert!(audience(None).0.to_string().contains("there is none"));
    }
}
