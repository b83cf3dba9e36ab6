//! Proofs for another request or key, or from another time.

use bearward_core::{
    UnixTime,
    catalogue::{Entry, FrontEnd},
    http::url,
};

use super::mistake::Mistake;
use crate::commands::explain::{
    facts::{Case, in_normal_form, printable, shown},
    when,
};

/// A larger number counts milliseconds: as seconds, it is after the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

pub(super) fn other_key(case: &Case<'_>) -> Option<Mistake> {
    let (ours, theirs) = (case.explanation.proof_thumbprint()?, printable(case.jkt()?));
    Some(Mistake::new(format!(
        "The proof was made with the key {ours}, but the token is bound to the key {theirs}."
    )))
}

pub(super) fn too_old(case: &Case<'_>, entry: &Entry) -> Option<Mistake> {
    let (iat, now) = (issued_at(case)?, case.question.now);
    let why = format!("The proof was made {} ago, at {}.", when::span(now.since(iat)), when::date(iat));
    let remedy =
        format!("{} To check it as of that time, give --at {iat}.", entry.remedy(FrontEnd::CommandLine));
    Some(Mistake::new(why).with_remedy(remedy))
}

pub(super) fn from_future(case: &Case<'_>) -> Option<Mistake> {
    let (iat, now) = (issued_at(case)?, case.question.now);
    let seconds = case.proof_claims.as_ref()?.get("iat")?.as_f64()?;
    if seconds >= MILLISECONDS_FROM {
        return Some(
            Mistake::new("`iat` seems to count milliseconds.".to_owned())
                .with_remedy("Write seconds: in JavaScript, `Math.floor(Date.now() / 1000)`."),
        );
    }
    let ahead = when::span(iat.since(now));
    Some(Mistake::new(format!(
        "The proof was made {ahead} in the future: the client's clock is ahead of this machine's."
    )))
}

pub(super) fn other_method(case: &Case<'_>) -> Option<Mistake> {
    let htm = shown(case.proof_claims.as_ref()?.get("htm")?);
    let method = printable(&case.question.method);
    let why = if htm.eq_ignore_ascii_case(&method) { ": case matters" } else { "" };
    Some(Mistake::new(format!("The proof is for {htm}, but the request has the method {method}{why}.")))
}

pub(super) fn other_url(case: &Case<'_>) -> Option<Mistake> {
    let htu = case.htu()?;
    let (Some(named), Some(sent)) = (url::normal_form(htu), url::normal_form(&case.question.url)) else {
        return Some(Mistake::new(format!(
            "The proof is for {}, but the request went to {}: both must be absolute URLs.",
            in_normal_form(htu),
            in_normal_form(&case.question.url)
        )));
    };
    let part = if scheme(&named) != scheme(&sent) {
        "the scheme"
    } else if origin(&named) != origin(&sent) {
        "host or port"
    } else if named.trim_end_matches('/') == sent.trim_end_matches('/') {
        "the slash at the end of the path"
    } else {
        "the path"
    };
    let why = format!(
        "The proof is for {}, but the request went to {}: {part} differs.",
        printable(&named),
        printable(&sent)
    );
    Some(Mistake::new(why.replace("host or port differs", "host or port differ")))
}

pub(super) fn other_token(case: &Case<'_>) -> Option<Mistake> {
    let ath = shown(case.proof_claims.as_ref()?.get("ath")?);
    let hash = case.explanation.token_hash()?;
    if ath.trim_end_matches('=') == hash {
        return Some(
            Mistake::new("`ath` ends with base64 padding.".to_owned())
                .with_remedy("Encode it in base64url without `=`."),
        );
    }
    Some(Mistake::new(format!(
        "`ath` is {ath}, but the hash of this access token is {hash}: the proof is for another token."
    )))
}

fn issued_at(case: &Case<'_>) -> Option<UnixTime> {
    case.proof_claims.as_ref()?.get("iat")?.as_f64().and_then(UnixTime::from_seconds)
}

fn scheme(url: &str) -> &str {
    url.split("://").next().unwrap_or_default()
}

/// Scheme, host and port of a URL in normal form.
fn origin(url: &str) -> &str {
    let path = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    url.get(..path).unwrap_or(url)
}
