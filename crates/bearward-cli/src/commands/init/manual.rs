//! The manual way: nothing is made, but what can be checked is.

use bearward_core::issuer::metadata::{Metadata, MetadataError};
use serde_json::Value;

use crate::{
    http::https::Terms,
    tenant::{
        client::{QUOTE_LENGTH, Tenant},
        domain::Domain,
    },
    terminal::{failure::Failure, output},
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
    // As an API will: what it would not take is told before it is written down.
    let Err(error) = Metadata::parse(answer.body().to_vec(), domain.issuer()) else { return Ok(()) };
    if error != MetadataError::OtherIssuer {
        return Err(Failure::rejected(format!("an API can't use {domain}: {error}."))
            .with_hint("`bearward doctor` looks at each part of it."));
    }
    let issuer = members.get("issuer").and_then(Value::as_str).unwrap_or_default();
    let issuer = output::one_line(issuer, QUOTE_LENGTH);
    Err(Failure::rejected(format!(
        "{domain} says that it issues tokens as {issuer}, not as https://{domain}/."
    ))
    .with_hint("the domain has to be the one that tokens name as their issuer."))
}
