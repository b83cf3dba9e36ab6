//! The settings, checked without the network.

use bearward_core::issuer::{IssuerUrl, name::IssuerNameError};
use reqwest::Url;

use super::report::{Check, Checked};
use crate::{
    http::{
        loopback::is_loopback,
        proxy,
        trust::{self, CA_FILE, CaFile, SSL_CERT_FILE, Trust},
    },
    settings::ENV_FILE,
    tenant::audience::Audience,
    terminal::{failure::Kind, output},
};

/// Settings are cut to this length.
const LENGTH: usize = 200;

/// Whether the engine can read the domain.
pub(super) fn domain(text: Option<&str>) -> Checked<IssuerUrl> {
    const NAME: &str = "domain";
    let text = text.unwrap_or_default();
    let (host, issuer) = match IssuerUrl::parse(text.trim()) {
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
    let text = text.trim().trim_matches(['"', '\'']);
    let rest = text.split_once("://").map_or(text, |(_scheme, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    IssuerUrl::parse(authority.rsplit('@').next()?).ok()
}

fn host(issuer: &IssuerUrl) -> String {
    issuer.as_str().trim_start_matches("https://").trim_end_matches('/').to_owned()
}

/// Whether the API has an identifier. APIs ignore white space around it.
pub(super) fn audience(text: Option<&str>) -> Checked<String> {
    const NAME: &str = "audience";
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        let remedy =
            "set AUTH0_AUDIENCE, the identifier of the API, in .env or the environment, or give --audience";
        return (Check::warning(NAME, "it is not set: an API does not start without it", remedy), None);
    };
    let shown = output::one_line(text.trim(), LENGTH);
    match text.parse::<Audience>() {
        Ok(audience) => {
            let check = if audience.had_space() {
                let remedy = format!("set AUTH0_AUDIENCE={shown}");
                Check::warning(NAME, format!("white space around {shown} is ignored"), remedy)
            } else {
                Check::ok(NAME, shown.clone())
            };
            (check.with("audience", shown), Some(audience.to_string()))
        }
        Err(why) => {
            let message = format!("{shown} can't be used: {why}");
            let remedy = "set AUTH0_AUDIENCE to the bare identifier of the API";
            (Check::failed(NAME, Kind::Usage, message, remedy), None)
        }
    }
}

/// Whether the certificate authorities for requests to `url` can be read, and whether apps use the same.
pub(super) fn trust(url: Option<&Url>) -> Checked<()> {
    const NAME: &str = "trust";
    let trust = match url.map(Trust::configured).transpose() {
        Ok(trust) => trust.unwrap_or_default(),
        Err(failure) => {
            let remedy = "set it to a file with PEM certificates, or remove it";
            return (Check::of_failure(NAME, &failure, remedy), None);
        }
    };
    let of = |file: &CaFile| {
        let count = file.certificates.len();
        let certificates = if count == 1 { "certificate" } else { "certificates" };
        format!("the {count} {certificates} in {}", file.path.display())
    };
    let all = trust.only.as_ref().map_or_else(
        || "the certificate authorities of this system".to_owned(),
        |file| format!("only {} ({SSL_CERT_FILE})", of(file)),
    );
    let added = trust.added.as_ref().map(|file| format!(", and {} ({CA_FILE})", of(file)));
    let message = all + &added.unwrap_or_default();
    let check = match (url.map(trust::ignored).unwrap_or_default().as_slice(), trust::hidden().first()) {
        ([], None) => Check::ok(NAME, message),
        ([], Some(hidden)) => {
            let remedy = "apps use the value of the environment too: remove the wrong one";
            Check::warning(NAME, format!("{message}; {hidden}"), remedy)
        }
        (ignored, _) => {
            let names = ignored.join(" and ");
            let message = format!("{message}; {names} in {ENV_FILE} counts for loopback hosts only");
            Check::warning(NAME, message, format!("set {names} in the environment"))
        }
    };
    let path = |file: &Option<CaFile>| file.as_ref().map(|file| file.path.display().to_string());
    let certificates = [&trust.only, &trust.added].into_iter().flatten().map(|file| file.certificates.len());
    let check = check.with("ssl_cert_file", path(&trust.only)).with("ca_file", path(&trust.added));
    (check.with("certificates", certificates.sum::<usize>()), Some(()))
}

/// Which proxy requests to `url` go through, and whether the settings of proxies can be read.
pub(super) fn proxy(url: &Url) -> Check {
    const NAME: &str = "proxy";
    let proxy = proxy::proxy_for(url);
    let message = match &proxy {
        Some(proxy) => format!("requests go through {proxy}"),
        None if is_loopback(url) => "none, as for every loopback host".to_owned(),
        None => "none".to_owned(),
    };
    let problems = if is_loopback(url) { Vec::new() } else { proxy::problems() };
    let check = if problems.is_empty() {
        Check::ok(NAME, message)
    } else {
        let remedy = "correct the variables in the environment: apps may read them differently";
        Check::warning(NAME, format!("{message}; {}", problems.join("; ")), remedy)
    };
    check.with("proxy", proxy)
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
        for text in
            ["https://tenant.auth0.com", "tenant.auth0.com/", "Tenant.auth0.com", "tenant.auth0.com\n"]
        {
            let shown = shown(text);
            assert!(shown.starts_with("warning  domain"), "{shown}");
            assert!(
                shown.contains(&format!("{} is used as tenant.auth0.com\n", text.replace('\n', " "))),
                "{shown}"
            );
            assert!(shown.ends_with("remedy: set AUTH0_DOMAIN=tenant.auth0.com"), "{shown}");
        }
    }

    #[test]
    fn an_unusable_domain_gets_a_suggestion() {
        for text in [
            "http://Tenant.auth0.com",
            "tenant.auth0.com/api/v2",
            "\"tenant.auth0.com\"",
            "tenant.auth0.com?x",
        ] {
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
    fn an_audience_is_the_bare_identifier() {
        let shown = |text| {
            let (check, kept) = audience(text);
            (anstream::adapter::strip_str(&check.to_string()).to_string(), kept)
        };
        let api = "https://api.example.com/";
        assert_eq!(shown(Some(api)).1.as_deref(), Some(api));
        for spaced in ["https://api.example.com/\n", " https://api.example.com/ "] {
            let (text, kept) = shown(Some(spaced));
            assert!(
                text.starts_with("warning") && text.ends_with("set AUTH0_AUDIENCE=https://api.example.com/"),
                "{text}"
            );
            assert_eq!(kept.as_deref(), Some(api));
        }
        for quoted in ["\"https://api.example.com/\"", "'https://api.example.com/'\n"] {
            let (text, kept) = shown(Some(quoted));
            assert!(text.starts_with("failed") && text.contains("in quotes"), "{text}");
            assert_eq!(kept, None);
        }
        for none in [None, Some(""), Some(" \n")] {
            assert!(shown(none).0.contains("it is not set"));
        }
    }
}
