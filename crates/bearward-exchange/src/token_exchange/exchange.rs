//! An exchange as the client asks for it: the form, and the key for remembering what it gets.

use core::fmt;

use aws_lc_rs::digest;
use bearward_core::UnixTime;
use bearward_core::encoding::json::Value;
use bearward_core::jose::compact::Segments;

use crate::form::Form;

pub(super) const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// An exchange of one token for another: the form to post to the token endpoint.
///
/// The client's credentials are not in the form. Only Token Vault wants `client_id` there.
#[derive(Clone, PartialEq, Eq)]
pub struct Exchange {
    pub(super) form: Form,
    pub(super) flow: Flow,
}

/// The kind of exchange. It decides how the answer is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Vault,
    Profile { subject_token_type: String, audience: Option<String> },
    OnBehalfOf { audience: String },
}

impl Flow {
    fn name(&self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Profile { .. } => "profile",
            Self::OnBehalfOf { .. } => "on_behalf_of",
        }
    }
}

impl Exchange {
    pub(super) fn new<'a>(flow: Flow, form: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self { form: Form::new(form), flow }
    }

    /// Names and values, to be sent as `application/x-www-form-urlencoded`. Holds the subject token.
    pub fn form(&self) -> impl Iterator<Item = (&str, &str)> {
        self.form.fields()
    }

    /// A key that is equal for two exchanges exactly if they ask for the same and get the same result: the hash of the
    /// flow and of the whole form, each piece with its length before it. The subject token is part of the form, so two
    /// users never share a key.
    ///
    /// `None` if only one caller may have the result, because it asks for a refresh token: one can be used once.
    pub fn key(&self) -> Option<[u8; 32]> {
        if self.form.field("scope").is_some_and(|scope| scope.split(' ').any(|name| name == "offline_access"))
        {
            return None;
        }
        let mut hash = digest::Context::new(&digest::SHA256);
        let form = self.form().flat_map(|(name, value)| [name, value]);
        // An exchange by profile may have the same form as one on behalf of a user, but its result has more members.
        for piece in core::iter::once(self.flow.name()).chain(form) {
            hash.update(&u64::try_from(piece.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(piece.as_bytes());
        }
        hash.finish().as_ref().try_into().ok()
    }

    /// The `exp` of the subject token, if it is a JWT that has one. It is not verified: it can only shorten how long a
    /// result is kept.
    pub(super) fn subject_expiry(&self) -> Option<UnixTime> {
        let payload = Segments::of(self.subject_token()).ok()?.payload().ok()?;
        payload.get("exp").and_then(Value::as_f64).and_then(UnixTime::from_seconds)
    }

    pub(super) fn subject_token(&self) -> &str {
        self.form.field("subject_token").unwrap_or_default()
    }
}

/// Shows the names of the form alone.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.form.fmt(f)
    }
}

/// The field, if there is a value and it is not empty.
pub(super) fn given<'a>(name: &'static str, value: Option<&'a str>) -> Option<(&'static str, &'a str)> {
    value.filter(|value| !value.is_empty()).map(|value| (name, value))
}

#[cfg(test)]
mod tests {
    use super::super::profile::ProfileExchange;
    use super::*;

    fn on_behalf_of(token: &str) -> Exchange {
        Exchange::on_behalf_of(token, "api", Some("read")).unwrap()
    }

    #[test]
    fn equal_calls_share_a_key_and_no_others() {
        let one = on_behalf_of("token-1");
        assert_eq!(one.key(), on_behalf_of("token-1").key());
        let others = [
            on_behalf_of("token-2"),
            Exchange::on_behalf_of("token-1", "api", None).unwrap(),
            Exchange::on_behalf_of("token-1", "api ", Some("read")).unwrap(),
            Exchange::vault("read", "token-1", None, "client").unwrap(),
        ];
        for other in others {
            assert_ne!(one.key(), other.key(), "{other:?}");
        }
    }

    #[test]
    fn flows_share_no_key_even_with_the_same_form() {
        let profile = ProfileExchange {
            subject_token: "token-1",
            subject_token_type: ACCESS_TOKEN_TYPE,
            audience: Some("api"),
            scope: Some("read"),
            requested_token_type: Some(ACCESS_TOKEN_TYPE),
            extra: &[],
        };
        let (profile, on_behalf_of) = (profile.prepare().unwrap(), on_behalf_of("token-1"));
        assert!(profile.form().eq(on_behalf_of.form()));
        assert_ne!(profile.key(), on_behalf_of.key());
    }

    #[test]
    fn where_one_value_ends_and_the_next_begins_makes_a_difference() {
        let vault = |connection, hint| Exchange::vault(connection, "token", Some(hint), "client").unwrap();
        assert_ne!(vault("ab", "c").key(), vault("a", "bc").key());
    }

    #[test]
    fn a_refresh_token_is_for_one_caller_only() {
        let scope = |scope| Exchange::on_behalf_of("token", "api", Some(scope)).unwrap().key();
        assert!(scope("read offline_access").is_none());
        assert!(scope("read offline_access_not").is_some());
    }

    #[test]
    fn debug_shows_no_value() {
        let exchange = Exchange::vault("google", "hush", Some("somebody"), "client").unwrap();
        let shown = format!("{exchange:?}");
        assert!(shown.contains("login_hint"), "{shown}");
        assert!(!shown.contains("hush") && !shown.contains("somebody"), "{shown}");
    }
}
