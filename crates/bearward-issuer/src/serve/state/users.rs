//! The users that can log in, and what their roles let them do.

use crate::serve::config::{ConfigError, Role, User};

pub(crate) struct Users {
    all: Vec<User>,
    roles: Vec<Role>,
}

impl Users {
    /// Those of the configuration; without any, one user with this id.
    pub(super) fn new(all: &[User], roles: &[Role], only: &str) -> Result<Self, ConfigError> {
        let all = if all.is_empty() { vec![User::new(only)?] } else { all.to_vec() };
        for (place, user) in all.iter().enumerate() {
            if all.iter().take(place).any(|other| other.id == user.id) {
                return Err(ConfigError::UserTwice { user: user.id.clone() });
            }
            let known = |name: &&String| !roles.iter().any(|role| role.name == **name);
            if let Some(role) = user.roles.iter().find(known) {
                return Err(ConfigError::RoleUnknown { role: role.clone() });
            }
        }
        Ok(Self { all, roles: roles.to_vec() })
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
        let users = Users::new(&[ann.clone(), User::new("bob").unwrap()], &[role], "x").unwrap();
        let may = |user, api, permission| users.may(user, api, permission);
        assert!(may("ann", "api", "read"));
        assert!(!may("ann", "api", "write") && !may("ann", "other", "read") && !may("bob", "api", "read"));
        assert!(!may("stranger", "api", "read"));
        assert!(Users::new(&[], &[], "x").unwrap().may("anybody", "api", "read"));
        let unknown = ConfigError::RoleUnknown { role: "reader".to_owned() };
        assert_eq!(Users::new(&[ann], &[], "x").err(), Some(unknown));
    }
}
