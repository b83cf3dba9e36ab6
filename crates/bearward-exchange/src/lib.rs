//! Client flows of OAuth 2: what is asked of an issuer's token endpoint, and what its answer means. RFC 6749 §5, RFC 8693.
//!
//! Nothing here sends anything. An [`Exchange`] is a form to be posted and reads the answer to it; a [`TokenMemory`]
//! keeps what was granted, for calls that ask for the same again.
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
