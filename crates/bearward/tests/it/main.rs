//! Behaviour of guards in front of real servers, as users and attackers meet them.

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod engine_driver;
#[cfg(test)]
mod extractors;
#[cfg(test)]
mod introspection;
#[cfg(test)]
mod issuer;
#[cfg(test)]
mod layer;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod mtls;
#[cfg(test)]
mod plugs;
#[cfg(test)]
mod redis;
#[cfg(test)]
mod resource;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod support;
#[cfg(test)]
mod table;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod websocket;
