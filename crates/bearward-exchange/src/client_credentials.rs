//! A token for the client itself: the client credentials grant. RFC 6749 §4.4.

use core::fmt;

use crate::form::Form;

/// A client, with its secret, and the API that it asks a token for.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "what RFC 6749 §4.4.2 and Auth0 ask for")]
pub struct ClientCredentials<'a> {
    /// The client.
    pub client_id: &'a str,
    /// Its secret. It is sent in the form (RFC 6749 §2.3.1), not as HTTP Basic credentials.
    pub client_secret: &'a str,
    /// The API that the token is for: Auth0's parameter. Not sent if it is empty: other issuers know the API by the scopes.
    pub audience: &'a str,
    /// Scopes, separated by spaces. If it is blank, the issuer decides which scopes it grants.
    pub scope: &'a str,
}

impl ClientCredentials<'_> {
    /// The form to post to the token endpoint. [`TokenAnswer`](crate::TokenAnswer) reads the answer.
    pub fn form(&self) -> Form {
        let mut form = Form::new([
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id),
            ("client_secret", self.client_secret),
        ]);
        form.add("audience", Some(self.audience).filter(|audience| !audience.is_empty()));
        form.add("scope", Some(self.scope).filter(|scope| !scope.trim().is_empty()));
        form
    }
}

/// Hides the secret.
impl fmt::Debug for ClientCredentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("client_id", &self.client_id)
            .field("audience", &self.audience)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(scope: &str) -> ClientCredentials<'_> {
        ClientCredentials { client_id: "client", client_secret: "hush", audience: "https://api", scope }
    }

    #[test]
    fn the_form_names_client_secret_and_api() {
        let expected = [
            ("grant_type", "client_credentials"),
            ("client_id", "client"),
            ("client_secret", "hush"),
            ("audience", "https://api"),
            ("scope", "read write"),
        ];
        assert!(asked("read write").form().fields().eq(expected));
    }

    #[test]
    fn an_issuer_that_knows_the_api_otherwise_is_told_no_audience() {
        let form = ClientCredentials { audience: "", ..asked("read") }.form();
        assert!(form.fields().all(|(name, _)| name != "audience"));
    }

    #[test]
    fn a_blank_scope_is_not_sent() {
        for blank in ["", " ", "\t "] {
            assert!(asked(blank).form().fields().all(|(name, _)| name != "scope"), "{blank:?}");
        }
    }

    #[test]
    fn debug_hides_the_secret() {
        let asked = asked("read");
        let shown = format!("{asked:?} {:?}", asked.form());
        assert!(shown.contains("client_secret") && shown.contains("https://api"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
