//! What goes out over HTTP: the client that every command uses, access tokens, and DPoP proofs.

pub(crate) mod access_token;
pub(crate) mod dpop;
pub(crate) mod https;
pub(crate) mod loopback;
pub(crate) mod proxy;
pub(crate) mod trust;
