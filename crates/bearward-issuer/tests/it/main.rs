//! The local tenant as its clients see it: over real https, with clients and a token check that are not ours.
#![cfg(test)]

mod admin;
mod conduct;
mod documents;
mod dpop;
mod lifecycle;
mod support;
mod token;
