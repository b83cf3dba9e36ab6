//! The local tenant as its clients see it: over real https, with clients and a token check that are not ours.
#![cfg(test)]

mod admin;
mod assertion;
mod browser;
mod calls;

mod device;
mod documents;
mod dpop;
mod exchange;
mod faults;
mod lifecycle;
mod like;
mod login;
mod login_attacks;
mod management;
mod registration;
mod state;
mod support;
mod tenant_settings;
mod token;
mod vault;
