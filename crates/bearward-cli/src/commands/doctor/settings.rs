//! The settings, checked without the network.

use bearward_core::issuer::{IssuerUrl, name::IssuerNameError};
use reqwest::Url;

use super::report::{Check, Checked};
use crate::{
    commands::recipients::AcceptedRecipients,
    http::{
        loopback::is_loopback,
        proxy,
        trust::{self, CA_FILE, CaFile, SSL_CERT_FILE, Trust},
    },
    settings::ENV_FILE,
    tenant::{
        audience::Audience,
        configured::{ConfiguredIssuer, IssuerSetting, NamedIssuers, why_not_exact},
        domain::Domain,
        issuer_kind::IssuerKind,
    },
    terminal::{failure::Kind, output},
};

/// Settings are cut to this length.
const LENGTH: usize = 200;

/// Whether the engine can read the name of the issuer.
pub(super) fn issuer(named: Option<&NamedIssuers>) -> Checked<ConfiguredIssuer> {
    let Some(named) = named.filter(|named| named.texts.iter().any(|text| !text.trim().is_empty())) else {
        let remedy = "run `bearward init`, which writes it into .env; or set AUTH0_DOMAIN=tenant.eu.auth0.com (a tenant of Auth0) or BEARWARD_ISSUER=https://kc.example.com/realms/acme (any issuer) there or in the environment; or give --domain or --issuer";
        return (Check::failed(NAME, Kind::Usage, "it is not set", remedy), None);
    };
    let text = named.texts.first().map(String::as_str).unwrap_or_default();
    match named.setting {
        IssuerSetting::Domain => domain(text),
        IssuerSetting::Issuer => exact(text),
    }
}

const NAME: &str = "domain";

fn domain(text: &str) -> Checked<ConfiguredIssuer> {
    let domain = match (IssuerUrl::parse(text.trim()), text.parse::<Domain>()) {
        (Ok(_), Ok(domain)) => domain,
        (Err(error), _) => return (unusable_domain(text, error), None),
        (_, Err(why)) => return (Check::failed(NAME, Kind::Usage, why, "set the host alone"), None),
    };
    let host = domain.to_string();
    let check = if text == host {
        Check::ok(NAME, &host)
    } else {
        let message = format!("{} is used as {host}", output::one_line(text, LENGTH));
        Check::warning(NAME, message, format!("set AUTH0_DOMAIN={host}"))
    };
    let check = check.with("domain", host).with("issuer", domain.issuer().as_str());
    (check, Some(ConfiguredIssuer::Domain(domain)))
}

fn exact(text: &str) -> Checked<ConfiguredIssuer> {
    let bare = text.trim();
    let issuer = match IssuerUrl::exact(bare) {
        Ok(issuer) => issuer,
        Err(error) => return (unusable_issuer(bare, error), None),
    };
    let check = if issuer.is_plain_http() {
        let remedy = "use https for any issuer but one for development";
        Check::warning(NAME, format!("{issuer} is without TLS, on this machine"), remedy)
    } else {
        Check::ok(NAME, issuer.as_str())
    };
    (check.with("issuer", issuer.as_str()), Some(ConfiguredIssuer::Exact(issuer)))
}

fn unusable_issuer(text: &str, error: IssuerNameError) -> Check {
    let remedy = match IssuerUrl::exact(&format!("https://{text}")) {
        Ok(issuer) if error == IssuerNameError::NotHttps && !text.contains("://") => {
            format!("set BEARWARD_ISSUER={issuer}, if that is what tokens have in `iss`")
        }
        _ => "set BEARWARD_ISSUER to the URL that tokens have in `iss`, byte for byte".to_owned(),
    };
    Check::failed(NAME, Kind::Usage, format!("{}{}", quoted(text), why_not_exact(error)), remedy)
}

/// It may contain a password.
fn quoted(text: &str) -> String {
    if text.contains('@') { String::new() } else { output::one_line(text, LENGTH) + ": " }
}

fn unusable_domain(text: &str, error: IssuerNameError) -> Check {
    let host = guess(text).map(|issuer| format!("set AUTH0_DOMAIN={}", host(&issuer)));
    let host =
        host.unwrap_or_else(|| "set the host alone, as in AUTH0_DOMAIN=tenant.eu.auth0.com".to_owned());
    let remedy = match IssuerUrl::exact(text.trim()) {
        Ok(issuer) => match IssuerKind::of_url(issuer.as_str()) {
            IssuerKind::Auth0 => host,
            IssuerKind::Other => {
                format!(
                    "{host} for a tenant of Auth0; or BEARWARD_ISSUER={issuer} in its place, if that is what tokens have in `iss`"
                )
            }
            IssuerKind::Keycloak
            | IssuerKind::EntraV1
            | IssuerKind::EntraV2
            | IssuerKind::OktaOrg
            | IssuerKind::OktaCustom
            | IssuerKind::Cognito => format!(
                "set BEARWARD_ISSUER={issuer} in its place: only tenants of Auth0 are known by a domain"
            ),
        },
        Err(_) => host,
    };
    Check::failed(NAME, Kind::Usage, format!("{}{error}", quoted(text)), remedy)
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

/// Whom the API accepts tokens for: its identifier, or clients. APIs ignore white space around the identifier.
pub(super) fn recipients(
    text: Option<&str>,
    client_ids: &[String],
    issuer: Option<&ConfiguredIssuer>,
) -> Checked<AcceptedRecipients> {
    const NAME: &str = "audience";
    if !client_ids.is_empty() {
        let shown = output::one_line(&client_ids.join(", "), LENGTH);
        let check = Check::ok(NAME, format!("none: tokens without `aud`, of the clients {shown}"));
        return (
            check.with("client_ids", client_ids),
            Some(AcceptedRecipients::Clients(client_ids.to_vec())),
        );
    }
    let variable = issuer.map_or(IssuerSetting::Domain, ConfiguredIssuer::setting).audience_variable();
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return (without_audience(variable, issuer), None);
    };
    let shown = output::one_line(text.trim(), LENGTH);
    match text.parse::<Audience>() {
        Ok(audience) => {
            let check = if audience.had_space() {
                let remedy = format!("set {variable}={shown}");
                Check::warning(NAME, format!("white space around {shown} is ignored"), remedy)
            } else {
                Check::ok(NAME, shown.clone())
            };
            (check.with("audience", shown), Some(AcceptedRecipients::Audience(audience.to_string())))
        }
        Err(why) => {
            let message = format!("{shown} can't be used: {why}");
            let remedy = format!("set {variable} to the bare identifier of the API");
            (Check::failed(NAME, Kind::Usage, message, remedy), None)
        }
    }
}

fn without_audience(variable: &str, issuer: Option<&ConfiguredIssuer>) -> Check {
    let remedy = if issuer.is_some_and(|issuer| issuer.kind(None) == IssuerKind::Cognito) {
        "access tokens of a Cognito user pool have no `aud`: configure `audience=None` and `client_ids`, and give --client-ids here".to_owned()
    } else {
        format!("set {variable}, the identifier of the API, in .env or the environment, or give --audience")
    };
    Check::warning("audience", "it is not set: an API does not start without it", remedy)
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
        let check = domain(text).0;
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
        for (issuer, expected) in [
            (
                "https://kc.example.com/realms/a",
                "remedy: set BEARWARD_ISSUER=https://kc.example.com/realms/a in its place",
            ),
            (
                "https://login.example.com/x/",
                "for a tenant of Auth0; or BEARWARD_ISSUER=https://login.example.com/x/ in its place",
            ),
        ] {
            assert!(shown(issuer).contains(expected), "{}", shown(issuer));
        }
        assert!(shown("a b").ends_with("AUTH0_DOMAIN=tenant.eu.auth0.com"));
        assert!(issuer(None).0.to_string().contains("it is not set"));
        let secret = shown("https://user:hush@tenant.auth0.com/");
        assert!(!secret.contains("hush") && secret.ends_with("AUTH0_DOMAIN=tenant.auth0.com"), "{secret}");
    }

    #[test]
    fn an_audience_is_the_bare_identifier() {
        let shown = |text| {
            let (check, kept) = recipients(text, &[], None);
            let kept = kept.map(|kept| match kept {
                AcceptedRecipients::Audience(audience) => audience,
                AcceptedRecipients::Clients(clients) => clients.concat(),
            });
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
