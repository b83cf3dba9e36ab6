//! A token for an account that the user has connected: Auth0's Token Vault.

use super::exchange::{ACCESS_TOKEN_TYPE, Exchange, Flow, given};
use super::request_error::{RequestError, required};

const GRANT_TYPE: &str = "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token";
const REQUESTED_TOKEN_TYPE: &str = "http://auth0.com/oauth/token-type/federated-connection-access-token";

impl Exchange {
    /// Asks for a token of `connection` for the user of `access_token`. `login_hint` names the account, if the user has
    /// several there.
    pub fn vault(
        connection: &str,
        access_token: &str,
        login_hint: Option<&str>,
        client_id: &str,
    ) -> Result<Self, RequestError> {
        let fields = [
            ("connection", required("connection", connection)?),
            ("requested_token_type", REQUESTED_TOKEN_TYPE),
            ("grant_type", GRANT_TYPE),
            ("client_id", client_id),
            ("subject_token", required("access_token", access_token)?),
            ("subject_token_type", ACCESS_TOKEN_TYPE),
        ];
        Ok(Self::new(Flow::Vault, fields.into_iter().chain(given("login_hint", login_hint))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_hint_is_sent_only_if_there_is_one() {
        for (hint, fields) in [(None, 6), (Some(""), 6), (Some("me@example.com"), 7)] {
            assert_eq!(Exchange::vault("google", "token", hint, "client").unwrap().form().count(), fields);
        }
    }

    #[test]
    fn connection_and_token_are_needed() {
        let missing = |connection, token| Exchange::vault(connection, token, None, "client").unwrap_err();
        assert_eq!(missing("", ""), RequestError::Missing("connection"));
        assert_eq!(missing("google", ""), RequestError::Missing("access_token"));
    }
}
