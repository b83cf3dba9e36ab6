//! The users that can log in, their organizations, and what their roles let them do.

use crate::serve::config::{ConfigError, Organization, Role, User};

pub(crate) struct Users {
    /// With the ids of their organizations.
    all: Vec<User>,
    organizations: Vec<Organization>,
    roles: Vec<Role>,
}

impl Users {
    /// Those of the configuration; without any, one user with this id.
    pub(super) fn new(
        all: &[User],
        organizations: &[Organization],
        roles: &[Role],
        only: &str,
    ) -> Result<Self, ConfigError> {
        check_once(organizations)?;
        let mut all = if all.is_empty() { vec![User::new(only)?] } else { all.to_vec() };
        for (place, user) in all.iter().enumerate() {
            if all.iter().take(place).any(|other| other.id == user.id) {
                return Err(ConfigError::UserTwice { user: user.id.clone() });
            }
            let known = |name: &&String| !roles.iter().any(|role| role.name == **name);
            if let Some(role) = user.roles.iter().find(known) {
                return Err(ConfigError::RoleUnknown { role: role.clone() });
            }
        }
        for organization in all.iter_mut().flat_map(|user| &mut user.organizations) {
            *organization = id_of(organization, organizations)?;
        }
        Ok(Self { all, organizations: organizations.to_vec(), roles: roles.to_vec() })
    }

    /// The id of the organization with this id or name. Where none are configured, every text is an id.
    pub(crate) fn organization_id(&self, text: &str) -> Option<String> {
        id_of(text, &self.organizations).ok()
    }

    /// The name of the organization with this id, if it has one.
    pub(crate) fn organization_name(&self, id: &str) -> Option<&str> {
        self.organizations.iter().find(|organization| organization.id == id)?.name.as_deref()
    }

    /// Those that can log in to this organization, or to none.
    pub(crate) fn members(&self, organization: Option<&str>) -> impl Iterator<Item = &User> {
        self.all.iter().filter(move |user| is_member(user, organization))
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&User> {
        self.all.iter().find(|user| user.id == id)
    }

    pub(crate) fn is_member(&self, id: &str, organization: Option<&str>) -> bool {
        self.by_id(id).is_some_and(|user| is_member(user, organization))
    }

    pub(crate) fn has_organization(&self, organization: &str) -> bool {
        self.members(Some(organization)).next().is_some()
    }

    /// Whether the user's roles have this permission. Where no roles are configured, every user has every permission.
    pub(crate) fn may(&self, id: &str, api: &str, permission: &str) -> bool {
        let Some(user) = self.by_id(id).filter(|_| !self.roles.is_empty()) else {
            return self.roles.is_empty();
        };
        let mut roles = self.roles.iter().filter(|role| user.roles.contains(&role.name));
        roles.any(|role| role.permissions.get(api).is_some_and(|it| it.iter().any(|name| name == permission)))
    }
}

fn id_of(text: &str, organizations: &[Organization]) -> Result<String, ConfigError> {
    if organizations.is_empty() {
        return Ok(text.to_owned());
    }
    let found = organizations.iter().find(|organization| organization.is_called(text));
    let unknown = || ConfigError::OrganizationUnknown { organization: text.to_owned() };
    found.map(|organization| organization.id.clone()).ok_or_else(unknown)
}

fn check_once(organizations: &[Organization]) -> Result<(), ConfigError> {
    for (place, organization) in organizations.iter().enumerate() {
        let names = [Some(organization.id.as_str()), organization.name.as_deref()];
        let is_taken = |name: &str| organizations.iter().take(place).any(|other| other.is_called(name));
        if names.into_iter().flatten().any(is_taken) {
            return Err(ConfigError::OrganizationTwice { organization: organization.id.clone() });
        }
    }
    Ok(())
}

fn is_member(user: &User, organization: Option<&str>) -> bool {
    organization.is_none_or(|organization| user.organizations.iter().any(|id| id == organization))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_limit_what_a_user_may_do_where_there_are_any() {
        let role = Role::new("reader", [("api".to_owned(), vec!["read".to_owned()])].into());
        let ann = User::new("ann").unwrap().with_roles(vec!["reader".to_owned()]);
        let users = Users::new(&[ann.clone(), User::new("bob").unwrap()], &[], &[role], "x").unwrap();
        let may = |user, api, permission| users.may(user, api, permission);
        assert!(may("ann", "api", "read"));
        assert!(!may("ann", "api", "write") && !may("ann", "other", "read") && !may("bob", "api", "read"));
        assert!(!may("stranger", "api", "read"));
        assert!(Users::new(&[], &[], &[], "x").unwrap().may("anybody", "api", "read"));
        let unknown = ConfigError::RoleUnknown { role: "reader".to_owned() };
        assert_eq!(Users::new(&[ann], &[], &[], "x").err(), Some(unknown));
    }

    #[test]
    fn an_organization_is_known_by_its_id_and_its_name() {
        let organization = |id: &str, name: &str| Organization::new(id).unwrap().with_name(name).unwrap();
        let acme = organization("org_1", "Acme");
        let member = |of: &str| User::new("ann").unwrap().with_organizations(vec![of.to_owned()]);
        for of in ["org_1", "acme", "ACME"] {
            let users = Users::new(&[member(of)], std::slice::from_ref(&acme), &[], "x").unwrap();
            assert!(users.is_member("ann", Some("org_1")), "{of}");
            assert_eq!(users.organization_id(of).as_deref(), Some("org_1"));
            assert_eq!(
                (users.organization_id("org_2"), users.organization_name("org_1")),
                (None, Some("acme"))
            );
        }
        let refused = |users: &[User], all: &[Organization]| Users::new(users, all, &[], "x").err().unwrap();
        let unknown = ConfigError::OrganizationUnknown { organization: "org_2".to_owned() };
        assert_eq!(refused(&[member("org_2")], std::slice::from_ref(&acme)), unknown);
        for (id, name) in [("org_1", "other"), ("org_2", "acme"), ("acme", "other"), ("org_3", "ORG_1")] {
            let twice = ConfigError::OrganizationTwice { organization: id.to_owned() };
            assert_eq!(refused(&[], &[acme.clone(), organization(id, name)]), twice, "{id} {name}");
        }
        assert!(Users::new(&[member("org_9")], &[], &[], "x").unwrap().is_member("ann", Some("org_9")));
    }
}
