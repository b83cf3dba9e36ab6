//! The tenant's faults: what it answers wrongly, late or never on request, so that tests see what happens then.

mod behaviour;
mod body;
mod endpoint;
mod junk_key;
mod requests;
mod state;
mod withheld;

pub use behaviour::Behaviour;
pub use endpoint::Endpoint;
pub(crate) use junk_key::JunkKind;
pub use requests::{EndpointRequests, Requests};
pub use state::Connections;
pub(crate) use state::{ActiveFaults, Faults};
pub(crate) use withheld::{unless_withheld, withheld};
