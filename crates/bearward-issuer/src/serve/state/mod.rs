//! What the tenant knows and remembers. The endpoints read and change it; nothing here knows an endpoint.

mod apis;
mod devices;
mod key_ring;
mod resource_server;
mod tenant;
mod used_assertions;
mod used_proofs;

pub(crate) use apis::NotAdded;
pub(crate) use devices::{Decision, DeviceStatus, NotYours};
pub(crate) use key_ring::{PublishedKeys, WithdrawError, generate_key};
pub(crate) use resource_server::{
    ApiScope, Description, ProofOfPossession, ResourceServer, SigningAlgorithm, TokenDialect,
};
pub(crate) use tenant::{Settings, Tenant};
pub(crate) use used_assertions::NotRemembered;
#[cfg(test)]
pub(crate) use used_proofs::UsedProofs;
