//! The APIs that tokens are issued for: those of the configuration, the Management API, and those it makes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::error::Unspecified;
use axum::http::StatusCode;

use super::resource_server::{Description, ResourceServer};
use crate::{
    random,
    serve::{config::ConfigError, error_answer::ErrorAnswer},
};

/// Far more than anybody develops against at once.
const APIS_KEPT: usize = 100;

/// Every API, by its identifier and its id.
pub(crate) struct Apis {
    /// The first API of the configuration.
    default: Arc<ResourceServer>,
    /// Whether a request that names no API is for the first one: only Auth0 has `audience`.
    has_default: bool,
    /// For logins that ask for no API.
    userinfo: Arc<ResourceServer>,
    all: Mutex<Vec<Arc<ResourceServer>>>,
}

/// Why there is no new API.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAdded {
    /// There is one with this identifier.
    Conflict,
    /// There are as many as are kept.
    TooMany,
    /// The operating system gave no random numbers for its id.
    NoId,
}

impl Apis {
    /// The APIs of the configuration and the Management API, which is `management`.
    pub(crate) fn new(
        management: Description,
        userinfo: String,
        configured: Vec<Description>,
        has_default: bool,
    ) -> Result<Self, ConfigError> {
        let mut all: Vec<Arc<ResourceServer>> = Vec::new();
        for description in std::iter::once(management).chain(configured) {
            if all.iter().any(|server| server.identifier() == description.identifier) {
                return Err(ConfigError::AudienceTwice { audience: description.identifier });
            }
            all.push(server(description).map_err(|Unspecified| ConfigError::NoRandomNumbers)?);
        }
        let default = all.get(1).map(Arc::clone).ok_or(ConfigError::NoApi)?;
        let userinfo = Description { allow_offline_access: true, ..Description::new(userinfo) };
        let userinfo = server(userinfo).map_err(|Unspecified| ConfigError::NoRandomNumbers)?;
        Ok(Self { default, has_default, userinfo, all: Mutex::new(all) })
    }

    /// The API that a client asks for, by Auth0's `audience` or the `resource` of RFC 8707, or the refusal.
    pub(crate) fn asked_for(
        &self,
        audience: Option<&str>,
        resource: Option<&str>,
    ) -> Result<Arc<ResourceServer>, ErrorAnswer> {
        if let Some(resource) = resource {
            if audience.is_some_and(|audience| audience != resource) {
                return Err(ErrorAnswer::invalid_target("audience and resource name two APIs."));
            }
            let unknown = || ErrorAnswer::invalid_target("The tenant has no such API.");
            return self.by_identifier(resource).ok_or_else(unknown);
        }
        let denied =
            |description: String| ErrorAnswer::new(StatusCode::FORBIDDEN, "access_denied", description);
        let default = self.has_default.then(|| self.default.identifier());
        let Some(audience) = audience.or(default) else {
            let description =
                "No audience parameter was provided, and no default audience has been configured";
            return Err(denied(description.to_owned()));
        };
        self.by_identifier(audience).ok_or_else(|| denied(format!("Service not found: {audience}")))
    }

    /// Whether every login is for an API.
    pub(crate) fn has_default(&self) -> bool {
        self.has_default
    }

    /// The API of a login: this one or, if it named none, `/userinfo`.
    pub(crate) fn of_login(&self, identifier: Option<&str>) -> Option<Arc<ResourceServer>> {
        identifier.map_or(Some(Arc::clone(&self.userinfo)), |identifier| self.by_identifier(identifier))
    }

    pub(crate) fn default(&self) -> &Arc<ResourceServer> {
        &self.default
    }

    pub(crate) fn by_identifier(&self, identifier: &str) -> Option<Arc<ResourceServer>> {
        self.lock().iter().find(|server| server.identifier() == identifier).map(Arc::clone)
    }

    /// By what the Management API takes in a path: either of the two names.
    pub(crate) fn by_either_name(&self, name: &str) -> Option<Arc<ResourceServer>> {
        let by_id = self.lock().iter().find(|server| server.id() == name).map(Arc::clone);
        by_id.or_else(|| self.by_identifier(name))
    }

    pub(crate) fn all(&self) -> Vec<Arc<ResourceServer>> {
        self.lock().clone()
    }

    /// Adds an API; tokens can be had for it at once.
    pub(crate) fn add(&self, description: Description) -> Result<Arc<ResourceServer>, NotAdded> {
        let added = server(description).map_err(|Unspecified| NotAdded::NoId)?;
        let mut all = self.lock();
        if all.iter().any(|server| server.identifier() == added.identifier()) {
            return Err(NotAdded::Conflict);
        }
        if all.len() >= APIS_KEPT {
            return Err(NotAdded::TooMany);
        }
        all.push(Arc::clone(&added));
        Ok(added)
    }

    /// Those that the Management API made, and the ids of the others.
    pub(super) fn restore(&self, saved: Vec<ResourceServer>) {
        let mut all = self.lock();
        for server in saved {
            match all.iter_mut().find(|known| known.identifier() == server.identifier()) {
                Some(known) => *known = Arc::new(known.with_id(server.id())),
                None => all.push(Arc::new(server)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<ResourceServer>>> {
        // A panic elsewhere can't leave it half changed: each change is one push.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An id as Auth0 makes them: 24 hex digits.
fn server(description: Description) -> Result<Arc<ResourceServer>, Unspecified> {
    Ok(Arc::new(ResourceServer::new(random::hex::<12>()?, description)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(identifier: &str) -> Description {
        Description::new(identifier.to_owned())
    }

    fn apis() -> Apis {
        Apis::new(
            description("https://127.0.0.1/api/v2/"),
            "userinfo".to_owned(),
            vec![description("api")],
            false,
        )
        .unwrap()
    }

    #[test]
    fn an_api_is_needed_and_each_has_a_name_of_its_own() {
        let refused = |names: &[&str]| {
            let configured = names.iter().map(|name| description(name)).collect();
            Apis::new(description("management"), "userinfo".to_owned(), configured, false).err()
        };
        let twice = |audience: &str| Some(ConfigError::AudienceTwice { audience: audience.to_owned() });
        assert_eq!(refused(&[]), Some(ConfigError::NoApi));
        assert_eq!(refused(&["a", "b", "a"]), twice("a"));
        assert_eq!(refused(&["a", "management"]), twice("management"));
        assert_eq!(apis().default().identifier(), "api");
    }

    #[test]
    fn each_has_two_names() {
        let apis = apis();
        let added = apis.add(description("https://new.example.com")).unwrap();
        assert_eq!(added.id().len(), 24);
        for name in [added.id(), "https://new.example.com"] {
            assert_eq!(apis.by_either_name(name).unwrap().id(), added.id());
        }
        assert!(apis.by_identifier(added.id()).is_none(), "an id is no audience");
        assert_eq!(apis.add(description("https://new.example.com")).unwrap_err(), NotAdded::Conflict);
        assert_eq!(apis.add(description("api")).unwrap_err(), NotAdded::Conflict);
    }

    #[test]
    fn their_number_is_bounded() {
        let apis = apis();
        let added = (0..).map_while(|number| apis.add(description(&number.to_string())).ok()).count();
        assert_eq!((added, apis.all().len()), (98, 100));
        assert_eq!(apis.add(description("one-more")).unwrap_err(), NotAdded::TooMany);
        assert_eq!(apis.add(description("api")).unwrap_err(), NotAdded::Conflict);
    }
}
