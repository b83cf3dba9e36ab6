//! The client's side of DPoP (RFC 9449): a key pair of one's own, and a proof of it for each request.
//!
//! What is signed here is a proof of possession and no token: nobody gains anything by it that the key's owner hasn't.

mod key;
pub(crate) mod key_file;
mod nonce;
mod proof;

pub(crate) use key::ProofKey;
pub(crate) use nonce::Nonce;
pub(crate) use proof::{Proof, ProofFacts, htu};
