//! The manual way: nothing is made, but what can be checked is.

use crate::{
    args::Domain,
    failure::Failure,
    https::Terms,
    output,
    tenant::{QUOTE_LENGTH, Tenant},
};

/// A tenant that can't be reached from here is only warned of: the API may run elsewhere.
pub(super) async fn check(domain: &Domain, terms: &Terms) -> Result<(), Failure> {
    let tenant = Tenant::new(domain.clone(), terms)?;
    let answer = match tenant.discovery().await {
        Ok(answer) => answer,
        Err(failure) => {
            output::warning(&format!("the tenant was not checked: {}", failure.message()));
            return Ok(());
        }
    };
    let members = answer.members("").map_err(|failure| {
        if failure.hint().is_some() { failure } else { failure.with_hint("is this the host of a tenant?") }
    })?;
    // OpenID Connect Discovery 1.0 §4.3; Auth0's issuers end with a slash, which others leave out.
    let issuer = members.get("issuer").and_then(serde_json::Value::as_str).unwrap_or("nobody");
    if issuer.trim_end_matches('/') == format!("https://{domain}") {
        return Ok(());
    }
    let issuer = output::one_line(issuer, QUOTE_LENGTH);
    Err(Failure::rejected(format!(
        "{domain} says that it issues tokens as {issuer}, not as https://{domain}/."
    ))
    .with_hint("the domain has to be the one that tokens name as their issuer."))
}
