//! The manual mode: nothing is made; the domain is checked.

use bearward_core::issuer::{
    PrivateAddresses,
    metadata::{Metadata, MetadataError},
};
use serde_json::Value;

use crate::{
    http::https::HttpOptions,
    tenant::{
        client::{QUOTE_LENGTH, Tenant},
        domain::Domain,
    },
    terminal::{failure::Failure, output},
};

/// A tenant that can't be reached is only a warning: the API may run on another machine.
pub(super) async fn check(domain: &Domain, options: &HttpOptions) -> Result<(), Failure> {
    let tenant = Tenant::new(domain.clone(), options)?;
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
    // Checked as by an API, so that nothing unusable is written.
    let Err(error) = Metadata::parse(answer.body().to_vec(), domain.issuer(), PrivateAddresses::Refused)
    else {
        return Ok(());
    };
    if error != MetadataError::OtherIssuer {
        return Err(Failure::rejected(format!("an API can't use {domain}: {error}."))
            .with_hint("`bearward doctor` checks each part of it."));
    }
    let issuer = members.get("issuer").and_then(Value::as_str).unwrap_or_default();
    let issuer = output::one_line(issuer, QUOTE_LENGTH);
    Err(Failure::rejected(format!("the issuer of {domain} is {issuer}, not https://{domain}/."))
        .with_hint("use the domain that tokens have in `iss`."))
}
