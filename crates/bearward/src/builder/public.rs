//! Checks what is said of the URL that clients use, and of the resource that is published.

use core::num::NonZeroUsize;

use bearward_core::ProtectedResource;
use bearward_core::http::forwarded::{PublicOrigin, PublicUrl};

use super::Builder;
use crate::client_certificate::Mtls;

impl Builder {
    /// What is published. `None`: nothing, or what is given can't be.
    pub(super) fn checked_resource(&mut self) -> Option<ProtectedResource> {
        let given = self.resource.take()?;
        if self.resolver.is_some() && !given.names_authorization_servers() {
            self.problem(
                "resource: name its issuers with authorization_server(..), since a resolver names those of requests.",
            );
        }
        match given.check() {
            Ok(resource) => Some(resource),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    pub(super) fn public_url(&mut self, resource: Option<&ProtectedResource>) -> Option<PublicUrl> {
        let given = self.public_origin.as_deref().map(|origin| origin.strip_suffix('/').unwrap_or(origin));
        if let Some((given, resource)) = given.zip(resource)
            && given != resource.origin()
        {
            self.problem("public_origin is another origin than that of the resource: leave it out.");
            return None;
        }
        let in_field = self.mtls.is_some_and(Mtls::is_of_a_proxy);
        if in_field && self.trusted_hops.is_none() {
            self.problem(
                "mtls: a field of a proxy counts only behind a proxy that writes it: say with trusted_hops(..) how many there are.",
            );
        }
        let origin = resource.map(|resource| resource.origin().to_owned()).or(self.public_origin.clone());
        match (&origin, self.trusted_hops) {
            (None, None) => Some(PublicUrl::FromRequest),
            (Some(_), Some(_)) if !in_field => {
                self.problem(
                    "Give trusted_hops, or public_origin or a resource, not both: an origin is the same for all requests.",
                );
                None
            }
            (Some(origin), _) => {
                let parsed = PublicOrigin::parse(origin).ok();
                if parsed.is_none() {
                    let problem = format!(
                        "public_origin ({origin:?}) must be scheme and host alone: https://api.example.com."
                    );
                    self.problem(problem);
                }
                parsed.map(PublicUrl::Fixed)
            }
            (None, Some(hops)) => {
                let hops = NonZeroUsize::new(hops);
                if hops.is_none() {
                    self.problem("trusted_hops must be at least 1.");
                }
                hops.map(|trusted_hops| PublicUrl::FromProxies { trusted_hops })
            }
        }
    }
}
