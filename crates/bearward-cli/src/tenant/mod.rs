//! A tenant as its clients see it: its name, requests to it, and how to find the local one.

pub(crate) mod audience;
pub(crate) mod client;
pub(crate) mod device;
pub(crate) mod domain;
pub(crate) mod local;
pub(crate) mod management;
