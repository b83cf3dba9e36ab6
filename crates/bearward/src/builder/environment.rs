//! The variables that configure a guard, as for the Python package and the command line.

use super::Builder;

impl Builder {
    /// Reads the issuer and the audience from the environment, where they were not given: `BEARWARD_ISSUER` and
    /// `BEARWARD_AUDIENCE`; or `AUTH0_DOMAIN` and `AUTH0_AUDIENCE`.
    ///
    /// ```no_run
    /// use bearward::{Dpop, Guard};
    ///
    /// let guard = Guard::builder().from_env().dpop(Dpop::Required).build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn from_env(self) -> Self {
        self.read_variables(|name| std::env::var(name).ok())
    }

    fn read_variables(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        let value =
            |name| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let (issuer, domain) = (value("BEARWARD_ISSUER"), value("AUTH0_DOMAIN"));
        if self.issuers.is_empty() && self.resolver.is_none() {
            match (&issuer, domain) {
                (Some(issuer), _) => self = self.issuer(issuer),
                (None, Some(domain)) => self = self.domain(domain),
                // `build` says what is missing.
                (None, None) => {}
            }
        }
        if self.audiences.is_empty() && self.client_ids.is_none() {
            let (ours, auth0) = (value("BEARWARD_AUDIENCE"), value("AUTH0_AUDIENCE"));
            let audience = if issuer.is_some() { ours.or(auth0) } else { auth0.or(ours) };
            self.audiences.extend(audience);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::Guard;

    fn problems(variables: &[(&str, &str)]) -> Vec<String> {
        let value = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        match Guard::builder().read_variables(value).build() {
            Ok(guard) => guard.status().into_iter().map(|status| status.issuer).collect(),
            Err(error) => error.problems().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn the_environment_names_an_issuer_and_an_audience() {
        let keycloak = "https://kc.example.com/realms/acme";
        for (variables, expected) in [
            (
                [("AUTH0_DOMAIN", "tenant.example"), ("AUTH0_AUDIENCE", "api")].as_slice(),
                "https://tenant.example/",
            ),
            (
                &[("AUTH0_DOMAIN", " https://tenant.example/ "), ("AUTH0_AUDIENCE", "api\n")],
                "https://tenant.example/",
            ),
            (&[("BEARWARD_ISSUER", keycloak), ("BEARWARD_AUDIENCE", "api")], keycloak),
            (
                &[("BEARWARD_ISSUER", keycloak), ("BEARWARD_AUDIENCE", "api"), ("AUTH0_DOMAIN", "t.example")],
                keycloak,
            ),
        ] {
            assert_eq!(problems(variables), [expected]);
        }
        assert_eq!(problems(&[("AUTH0_DOMAIN", " ")]).len(), 2);
    }
}
