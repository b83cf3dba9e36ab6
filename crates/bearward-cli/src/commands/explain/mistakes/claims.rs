//! Tokens for another API, another time, or with too few scopes.

use bearward_core::{
    UnixTime,
    catalogue::{Entry, FrontEnd},
};
use serde_json::Value;

use super::mistake::{Mistake, difference};
use crate::commands::explain::{
    facts::{Case, printable, shown},
    when,
};

/// Claims of ID tokens that access tokens don't have. OpenID Connect Core 1.0 §2, §5.1.
const OF_ID_TOKENS: [&str; 10] = [
    "nonce",
    "at_hash",
    "c_hash",
    "auth_time",
    "amr",
    "email",
    "email_verified",
    "name",
    "nickname",
    "picture",
];

/// The largest difference that is probably a wrong clock.
const CLOCKS_SECONDS: u64 = 600;

/// Remarks on claims that no check refuses.
pub(in crate::commands::explain) fn remarks(case: &Case<'_>) -> Vec<String> {
    let now = case.question.now;
    let iat = time(case, "iat").filter(|iat| *iat > now);
    let ahead = iat.map(|iat| {
        let span = when::span(iat.since(now));
        format!("iat is {span} in the future: the issuer's clock and this machine's clock disagree.")
    });
    ahead.into_iter().collect()
}

/// An ID token has the application as its audience, and describes the user who logged in.
pub(super) fn id_token(case: &Case<'_>) -> Option<Mistake> {
    let claims = case.claims.as_ref()?;
    let found: Vec<&str> = OF_ID_TOKENS.into_iter().filter(|name| claims.contains_key(*name)).collect();
    if found.is_empty() || claims.contains_key("scope") || claims.contains_key("permissions") {
        return None;
    }
    Some(
        Mistake::new(format!(
            "This looks like an ID token (it has {}). ID tokens are for the application, not for APIs.",
            found.join(", ")
        ))
        .with_remedy(
            "Send the access token: `access_token` in the answer of the token endpoint, `getAccessTokenSilently()` in Auth0's SDKs, requested with the API's identifier as `audience`.",
        ),
    )
}

pub(super) fn unknown_key(case: &Case<'_>) -> Option<Mistake> {
    let kid = shown(case.header.as_ref()?.get("kid")?);
    Some(Mistake::new(format!(
        "The token names the key {kid}, but the issuer publishes {}.",
        case.published()
    )))
}

pub(super) fn other_issuer(case: &Case<'_>) -> Option<Mistake> {
    let iss = text(case, "iss")?;
    let (shown, ours) = (printable(iss), case.issuers());
    if let Some(rest) = iss.strip_prefix("http://") {
        return Some(Mistake::new(format!(
            "`iss` is {shown}: an issuer must use https, as in https://{}.",
            printable(rest)
        )));
    }
    let host = host(iss);
    let hosts: Vec<&str> = case.question.issuers.iter().map(|issuer| self::host(issuer.as_str())).collect();
    let mistake = Mistake::new(format!("The token is from {shown}, but the API accepts tokens of {ours}."));
    let label = |host: &str| host.split('.').next().unwrap_or_default().to_owned();
    let is_auth0 = |host: &str| host.ends_with(".auth0.com");
    let remedy = if hosts.iter().any(|ours| is_auth0(ours) && is_auth0(host) && label(ours) == label(host)) {
        "The tenant names are the same, but the regions differ. Look up the tenant's domain in Auth0 (Settings of the application) and set AUTH0_DOMAIN to it."
            .to_owned()
    } else if hosts.iter().any(|ours| is_auth0(ours) != is_auth0(host)) {
        format!(
            "If both belong to the same tenant, one is its custom domain: a token has the domain that it was requested from. Request it from {ours}, or set AUTH0_DOMAIN to {}, or list both in `domains`.",
            printable(host)
        )
    } else {
        format!(
            "Get the token from {ours}. If {} is your tenant, make the API accept its tokens (AUTH0_DOMAIN, or `domains`).",
            printable(host)
        )
    };
    Some(mistake.with_remedy(remedy))
}

pub(super) fn other_spelling(case: &Case<'_>) -> Option<Mistake> {
    let (iss, issuer) = (text(case, "iss")?, case.explanation.metadata()?.issuer());
    let difference = difference(iss, issuer).unwrap_or("in the spelling");
    let (iss, issuer) = (printable(iss), printable(issuer));
    Some(Mistake::new(format!(
        "The token spells its issuer {iss}, and the issuer spells itself {issuer}: they differ {difference}."
    )))
}

pub(super) fn other_audience(case: &Case<'_>) -> Option<Mistake> {
    let ours = &case.question.audience;
    let aud = case.claims.as_ref()?.get("aud")?;
    let named: Vec<&str> = match aud.as_array() {
        Some(items) => items.iter().filter_map(Value::as_str).collect(),
        None => aud.as_str().into_iter().collect(),
    };
    let near = named.iter().find_map(|name| Some((*name, difference(name, ours)?)));
    if let Some((name, difference)) = near {
        let why = format!(
            "The token is for {}, but the API is {}: they differ {difference}.",
            printable(name),
            printable(ours)
        );
        return Some(Mistake::new(why).with_remedy(
            "Make both the same, byte for byte. In Auth0 the identifier of an API can't be changed: change the client's `audience` or the API's setting (`AUTH0_AUDIENCE`).",
        ));
    }
    if let Some(mistake) = id_token(case) {
        return Some(mistake);
    }
    let list: Vec<String> = named.iter().map(|name| printable(name)).collect();
    match named.as_slice() {
        [] => None,
        [only] if only.ends_with("/userinfo") => Some(Mistake::new(
            "The token is only for the tenant's /userinfo: it was requested without an `audience`."
                .to_owned(),
        )),
        _ => Some(Mistake::new(format!(
            "The token is for {}, but the API is {}.",
            list.join(", "),
            printable(ours)
        ))),
    }
}

pub(super) fn expired(case: &Case<'_>) -> Option<Mistake> {
    let (exp, now) = (time(case, "exp")?, case.question.now);
    let ago = now.since(exp);
    let clocks = if ago.as_secs() < CLOCKS_SECONDS { " If it is new, the clocks disagree." } else { "" };
    Some(Mistake::new(format!("The token expired {} ago, at {}.{clocks}", when::span(ago), when::date(exp))))
}

pub(super) fn not_yet_valid(case: &Case<'_>) -> Option<Mistake> {
    let (nbf, now) = (time(case, "nbf")?, case.question.now);
    let ahead = nbf.since(now);
    let why = format!("The token is valid from {} on, in {}.", when::date(nbf), when::span(ahead));
    if ahead.as_secs() >= CLOCKS_SECONDS {
        return Some(Mistake::new(why));
    }
    let seconds = ahead.as_millis().div_ceil(1000);
    Some(
        Mistake::new(format!("{why} The issuer's clock is ahead of this machine's by at least that much."))
            .with_remedy(format!(
                "Synchronize both clocks by NTP. A `leeway` of {seconds} seconds or more would accept the token."
            )),
    )
}

pub(super) fn bound_as_bearer(case: &Case<'_>, entry: &Entry) -> Option<Mistake> {
    let why = format!(
        "The token is bound to the key {} (`cnf.jkt`), but was sent as Bearer.",
        printable(case.jkt()?)
    );
    let remedy = format!(
        "{} To check a proof here, give --proof, --method and --url.",
        entry.remedy(FrontEnd::CommandLine)
    );
    Some(Mistake::new(why).with_remedy(remedy))
}

pub(super) fn missing_scope(case: &Case<'_>) -> Option<Mistake> {
    let claims = case.claims.as_ref()?;
    let scope = claims.get("scope");
    if scope.is_some_and(|scope| !scope.is_string()) {
        return Some(Mistake::new("`scope` is not a string, so it grants nothing.".to_owned()).with_remedy(
            "Make the issuer write the scopes as one string, separated by spaces (RFC 8693 section 4.2).",
        ));
    }
    let granted = scope.and_then(Value::as_str).unwrap_or_default();
    let missing: Vec<&str> = case
        .question
        .scopes
        .iter()
        .map(String::as_str)
        .filter(|required| !granted.split(' ').any(|scope| scope == *required))
        .collect();
    let list = printable(&missing.join(" "));
    let permissions = claims.get("permissions").and_then(Value::as_array);
    let permitted = |scope: &&str| permissions.is_some_and(|all| all.iter().any(|one| one == scope));
    if missing.iter().all(permitted) {
        return Some(
            Mistake::new(format!(
                "The token has {list} in `permissions`, but not in `scope`: Auth0's role-based access control grants it, but the client did not request it."
            ))
            .with_remedy(format!(
                "Request the token with {list} in `scope`, or let the route check the claim `permissions`."
            )),
        );
    }
    let granted = if granted.is_empty() { "no scope".to_owned() } else { printable(granted) };
    Some(Mistake::new(format!("The token grants {granted}. It lacks {list}.")))
}

fn text<'c>(case: &'c Case<'_>, name: &str) -> Option<&'c str> {
    case.claims.as_ref()?.get(name)?.as_str()
}

fn time(case: &Case<'_>, name: &str) -> Option<UnixTime> {
    case.claims.as_ref()?.get(name)?.as_f64().and_then(UnixTime::from_seconds)
}

/// Without scheme and slash.
fn host(issuer: &str) -> &str {
    issuer.trim_start_matches("https://").trim_end_matches('/')
}
