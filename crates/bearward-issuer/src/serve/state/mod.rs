//! What the tenant knows and remembers. The endpoints read and change it; nothing here knows an endpoint.

mod apis;
mod clients;
mod consents;
mod devices;
mod dpop_nonces;
mod expiring;
mod issued_tokens;
mod key_ring;
mod login;
mod names;
mod refresh_tokens;
mod resource_server;
mod saved;
mod saved_application;
mod settings;
mod tenant;
mod tenant_settings;
mod used_assertions;
mod used_proofs;
mod users;

pub(crate) use apis::NotAdded;
pub(crate) use clients::RegisteredClient;
pub(crate) use devices::{Decision, DeviceStatus, NotYours};
pub(crate) use dpop_nonces::DpopNonces;
pub(crate) use issued_tokens::Issue;
pub(crate) use key_ring::{KeyRing, PublishedKeys, WithdrawError, generate_key};
pub(crate) use login::{Login, LoginRequest, NotRedeemed, OpenPage, Redemption, Session};
pub(crate) use names::Names;
pub(crate) use refresh_tokens::NotRefreshed;
pub(crate) use resource_server::{
    ApiScope, Description, ProofOfPossession, ResourceServer, SigningAlgorithm, TokenDialect,
};
pub(crate) use saved::{Saved, SavedAuthority, StateFile};
pub(crate) use saved_application::Source;
pub(crate) use settings::Settings;
pub(crate) use tenant::{KeptState, Tenant};
pub(crate) use tenant_settings::{SettingsChange, TenantSettings};
pub(crate) use used_assertions::NotRemembered;
#[cfg(test)]
pub(crate) use used_proofs::UsedProofs;
