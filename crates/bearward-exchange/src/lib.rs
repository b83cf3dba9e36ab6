//! Client flows of OAuth 2: how a program gets a token from an issuer. This crate builds the forms and reads the answers.
//! It sends nothing, reads no clock, and signs nothing.
//!
//! | flow | begins with | the answer is read by |
//! |---|---|---|
//! | client credentials (RFC 6749 §4.4) | [`ClientCredentials`] | [`TokenAnswer`], [`ErrorAnswer`] |
//! | device authorization (RFC 8628) | [`DeviceRequest`] | [`DeviceAuthorization`], [`DevicePolling`], [`TokenAnswer`] |
//! | token exchange (RFC 8693), Auth0's Token Vault | [`Exchange`] | [`Exchange::read`] |
//!
//! A [`TokenMemory`] keeps exchanged tokens, for calls that ask for the same again. A [`ClientAssertion`] is a signed proof
//! that a client can use instead of a secret.
//!
//! ```
//! use bearward_core::UnixTime;
//! use bearward_exchange::{EndpointAnswer, Exchange};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let exchange = Exchange::on_behalf_of("a-users-token", "https://other.example.com", None)?;
//! // Post `exchange.form()` to the token endpoint, with the client's credentials; then:
//! let answer = EndpointAnswer { status: 200, content_type: None, body: br#"{"access_token":"t"}"#.to_vec() };
//! let now = UnixTime::from_seconds(1_700_000_000.0).ok_or("no time")?;
//! assert_eq!(exchange.read(answer, &[], now)?.access_token(), "t");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod assertion;
mod client_credentials;
mod device;
mod form;
pub mod limits;
mod token_answer;
mod token_exchange;

pub use assertion::{AssertionAlgorithm, ClientAssertion};
pub use client_credentials::ClientCredentials;
pub use device::{DeviceAuthorization, DevicePolling, DeviceRequest, Polled};
pub use form::Form;
pub use token_answer::{ErrorAnswer, NoToken, TokenAnswer};
pub use token_exchange::{
    EndpointAnswer, EndpointError, Exchange, Granted, Member, ProfileExchange, RequestError, TokenMemory,
};
