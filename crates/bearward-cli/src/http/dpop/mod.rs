//! DPoP for clients (RFC 9449): a key pair, and a proof made with it for each request.
//!
//! Only proofs are signed here, never tokens.

mod key;
pub(crate) mod key_file;
mod nonce;
mod proof;

pub(crate) use key::ProofKey;
pub(crate) use nonce::Nonce;
pub(crate) use proof::{Proof, ProofFacts, htu};
