//! Exchanges one token for another. RFC 8693, and Auth0's Token Vault.

mod answer;
mod exchange;
mod memory;
mod on_behalf_of;
mod profile;
mod request_error;
mod vault;

pub use answer::{EndpointAnswer, EndpointError, Granted, Member};
pub use exchange::Exchange;
pub use memory::TokenMemory;
pub use profile::ProfileExchange;
pub use request_error::RequestError;
