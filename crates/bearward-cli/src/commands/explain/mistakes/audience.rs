//! Tokens for another API, for none, or of another client.

use bearward_core::catalogue::Entry;

use super::{
    claims::id_token,
    mistake::{Mistake, difference},
};
use crate::{
    commands::{
        explain::facts::{Case, printable, shown},
        recipients::AcceptedRecipients,
        remedies,
    },
    tenant::issuer_kind::IssuerKind,
};

/// The identifiers of Microsoft Graph.
const GRAPH: [&str; 2] = ["00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"];

pub(super) fn no_audience(case: &Case<'_>, entry: &Entry) -> Option<Mistake> {
    let claims = case.claims.as_ref()?;
    if let Some(aud) = claims.get("aud") {
        return Some(Mistake::new(format!(
            "`aud` is {}: neither a string nor a list of strings.",
            shown(aud)
        )));
    }
    let mistake = Mistake::new("The token has no `aud`.".to_owned());
    let remedy = remedies::remedy(entry, case.kind);
    let never_has_one = matches!(case.kind, IssuerKind::Cognito | IssuerKind::Other);
    Some(match case.client().filter(|_| never_has_one) {
        Some((name, client)) => {
            mistake.with_remedy(format!("{remedy} This token's client is {client} (`{name}`)."))
        }
        None => mistake.with_remedy(remedy),
    })
}

pub(super) fn other_audience(case: &Case<'_>) -> Option<Mistake> {
    let AcceptedRecipients::Audience(ours) = &case.question.recipients else { return None };
    let aud = case.claims.as_ref()?.get("aud")?;
    let named: Vec<&str> = match aud.as_array() {
        Some(items) => items.iter().filter_map(|item| item.as_str()).collect(),
        None => aud.as_str().into_iter().collect(),
    };
    if let Some(mistake) = named.iter().find_map(|name| near(case, name, ours)) {
        return Some(mistake);
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
        ["account"] if case.kind == IssuerKind::Keycloak => Some(Mistake::new(
            "The token is only for `account`, Keycloak's own API: no audience mapper wrote another audience."
                .to_owned(),
        )),
        [only] if GRAPH.contains(&only.trim_end_matches('/')) => {
            Some(Mistake::new(format!("The token is for Microsoft Graph ({only}).")))
        }
        _ => Some(Mistake::new(format!(
            "The token is for {}, but the API is {}.",
            list.join(", "),
            printable(ours)
        ))),
    }
}

/// If the token's audience is nearly ours.
fn near(case: &Case<'_>, name: &str, ours: &str) -> Option<Mistake> {
    let (shown, configured) = (printable(name), printable(ours));
    if case.kind.is_entra() && without_scheme(name) == without_scheme(ours) && name != ours {
        let why = format!(
            "The token is for {shown}, but the API is {configured}: tokens of version 2 have the API's application id, tokens of version 1 its Application ID URI."
        );
        let remedy = format!("Configure the API's audience as {shown}, or both.");
        return Some(Mistake::new(why).with_remedy(remedy));
    }
    let difference = difference(name, ours)?;
    let why = format!("The token is for {shown}, but the API is {configured}: they differ {difference}.");
    let remedy = if case.kind == IssuerKind::Auth0 {
        "Make both the same, byte for byte. In Auth0 the identifier of an API can't be changed: change the client's `audience` or the API's setting (`AUTH0_AUDIENCE`).".to_owned()
    } else {
        format!(
            "Make both the same, byte for byte: configure the API's audience as {shown}, or have the issuer write {configured}."
        )
    };
    Some(Mistake::new(why).with_remedy(remedy))
}

fn without_scheme(audience: &str) -> &str {
    audience.strip_prefix("api://").unwrap_or(audience)
}

pub(super) fn other_client(case: &Case<'_>) -> Option<Mistake> {
    let AcceptedRecipients::Clients(ours) = &case.question.recipients else { return None };
    let ours = printable(&ours.join(", "));
    Some(Mistake::new(match case.client() {
        Some((name, client)) => {
            format!("The token was issued to {client} (`{name}`), but the API accepts tokens of {ours}.")
        }
        None => format!("The token names no client, and the API accepts tokens of {ours}."),
    }))
}
