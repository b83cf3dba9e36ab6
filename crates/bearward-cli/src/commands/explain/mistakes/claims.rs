//! ID tokens, and tokens of another key, for another time, or with too few scopes.

use bearward_core::{
    ScopeClaim, UnixTime,
    catalogue::{Entry, FrontEnd},
};
use serde_json::Value;

use super::mistake::Mistake;
use crate::{
    commands::explain::{
        facts::{Case, Members, printable, shown},
        when,
    },
    tenant::issuer_kind::IssuerKind,
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
    let of_access_tokens = ["scope", "scp", "permissions"].iter().any(|name| claims.contains_key(*name));
    let says_so = claims.get("token_use").is_some_and(|token_use| token_use == "access");
    if found.is_empty() || of_access_tokens || says_so {
        return None;
    }
    let in_sdks =
        if case.kind == IssuerKind::Auth0 { ", `getAccessTokenSilently()` in Auth0's SDKs" } else { "" };
    Some(
        Mistake::new(format!(
            "This looks like an ID token (it has {}). ID tokens are for the application, not for APIs.",
            found.join(", ")
        ))
        .with_remedy(format!(
            "Send the access token: `access_token` in the answer of the token endpoint{in_sdks}, requested for this API."
        )),
    )
}

pub(super) fn unknown_key(case: &Case<'_>) -> Option<Mistake> {
    let Some(kid) = case.header.as_ref()?.get("kid").map(shown) else {
        return Some(Mistake::new(format!(
            "The token has no `kid`, and the issuer publishes {}: not just one key that fits.",
            case.published()
        )));
    };
    Some(Mistake::new(format!(
        "The token names the key {kid}, but the issuer publishes {}.",
        case.published()
    )))
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
    let name = case.scope_claim();
    let granted = match claims.get(name) {
        None => Vec::new(),
        Some(scope) => match scopes(scope, &case.question.scope_claim) {
            Some(scopes) => scopes,
            None => return Some(unreadable_scopes(name, &case.question.scope_claim)),
        },
    };
    let required = case.question.scopes.iter().map(String::as_str);
    let missing: Vec<&str> = required.filter(|required| !granted.contains(required)).collect();
    let list = printable(&missing.join(" "));
    if let Some(other) = ["permissions", "roles"].into_iter().find(|other| has_all(claims, other, &missing)) {
        return Some(elsewhere(case, name, other, &list));
    }
    let granted = if granted.is_empty() { "no scope".to_owned() } else { printable(&granted.join(" ")) };
    Some(Mistake::new(format!("The token grants {granted}. It lacks {list}.")))
}

/// The single scopes, if the claim is of a type that grants any. RFC 8693 §4.2.
fn scopes<'c>(scope: &'c Value, claim: &ScopeClaim) -> Option<Vec<&'c str>> {
    match scope {
        Value::String(text) => Some(text.split_whitespace().collect()),
        Value::Array(items) if *claim != ScopeClaim::Scope => items.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn unreadable_scopes(name: &str, claim: &ScopeClaim) -> Mistake {
    if *claim == ScopeClaim::Scope {
        return Mistake::new("`scope` is not a string, so it grants nothing.".to_owned()).with_remedy(
            "Make the issuer write the scopes as one string, separated by spaces (RFC 8693 section 4.2). An API that is configured by `issuer` or `scope_claim` also reads lists.",
        );
    }
    Mistake::new(format!("`{name}` is neither a string nor a list of strings, so it grants nothing."))
        .with_remedy(
            "Make the issuer write the scopes as one string, separated by spaces (RFC 8693 section 4.2).",
        )
}

fn has_all(claims: &Members, name: &str, wanted: &[&str]) -> bool {
    let items = claims.get(name).and_then(Value::as_array);
    items.is_some_and(|items| wanted.iter().all(|wanted| items.iter().any(|item| item == wanted)))
}

/// The missing scopes are in another claim.
fn elsewhere(case: &Case<'_>, name: &str, other: &str, list: &str) -> Mistake {
    let why = if case.kind == IssuerKind::Auth0 && other == "permissions" {
        ": Auth0's role-based access control grants it, but the client did not request it"
    } else {
        ""
    };
    let name = printable(name);
    let mistake = Mistake::new(format!("The token has {list} in `{other}`, but not in `{name}`{why}."));
    mistake.with_remedy(if case.kind.is_entra() && other == "roles" {
        "Tokens of a client without a user have application permissions in `roles`, and no scopes. Let the API read them by `scope_claim=\"roles\"` (here --scope-claim roles), or let the route check the claim `roles`.".to_owned()
    } else {
        format!("Request the token with {list} in `scope`, or let the route check the claim `{other}`.")
    })
}

fn time(case: &Case<'_>, name: &str) -> Option<UnixTime> {
    case.claims.as_ref()?.get(name)?.as_f64().and_then(UnixTime::from_seconds)
}
