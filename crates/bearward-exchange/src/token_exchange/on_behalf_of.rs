//! A token for another API, for the same user: on-behalf-of. RFC 8693 §2.1.

use super::exchange::{ACCESS_TOKEN_TYPE, Exchange, Flow};
use super::profile::ProfileExchange;
use super::request_error::{RequestError, required};

impl Exchange {
    /// Asks for an access token for `audience` that acts for the user of `access_token`.
    pub fn on_behalf_of(
        access_token: &str,
        audience: &str,
        scope: Option<&str>,
    ) -> Result<Self, RequestError> {
        let audience = required("audience", audience)?;
        let exchange = ProfileExchange {
            subject_token: access_token,
            subject_token_type: ACCESS_TOKEN_TYPE,
            audience: Some(audience),
            scope,
            requested_token_type: Some(ACCESS_TOKEN_TYPE),
            extra: &[],
        };
        Ok(Self::new(Flow::OnBehalfOf { audience: audience.to_owned() }, exchange.fields()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_that_of_an_exchange_of_access_tokens() {
        let exchange = Exchange::on_behalf_of("token", "https://other", Some("read")).unwrap();
        let expected = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", "token"),
            ("subject_token_type", ACCESS_TOKEN_TYPE),
            ("audience", "https://other"),
            ("scope", "read"),
            ("requested_token_type", ACCESS_TOKEN_TYPE),
        ];
        assert!(exchange.form().eq(expected));
    }

    #[test]
    fn an_audience_is_needed() {
        let refused = Exchange::on_behalf_of("token", "", None).unwrap_err();
        assert_eq!(refused, RequestError::Missing("audience"));
    }
}
