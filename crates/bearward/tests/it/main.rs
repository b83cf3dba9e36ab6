//! Behaviour of guards in front of real servers, as users and attackers meet them.

#[cfg(test)]
mod extractors;
#[cfg(test)]
mod layer;
#[cfg(test)]
mod support;
#[cfg(test)]
mod table;
#[cfg(test)]
mod vectors;
