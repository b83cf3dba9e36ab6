//! Strict readers of JOSE: compact JWS (RFC 7515), compact JWE (RFC 7516), JWK (RFC 7517), algorithms (RFC 7518).

pub mod algorithm;
pub mod compact;
pub mod jwe;
pub mod jwk;
pub mod thumbprint;
