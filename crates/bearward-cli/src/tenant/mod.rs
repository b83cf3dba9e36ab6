//! A tenant as its clients see it: its name, its documents, requests to it, and how to find the local one.

pub(crate) mod audience;
pub(crate) mod client;
pub(crate) mod configured;
pub(crate) mod device;
pub(crate) mod documents;
pub(crate) mod domain;
pub(crate) mod issuer_kind;
pub(crate) mod local;
pub(crate) mod management;
