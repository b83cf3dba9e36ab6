//! Whom an API accepts tokens for.

use bearward_core::policy::{Audience, Recipients};

use crate::terminal::failure::Failure;

/// Whom tokens must be for.
pub(crate) enum AcceptedRecipients {
    Audience(String),
    Clients(Vec<String>),
}

impl AcceptedRecipients {
    /// As the engine wants them.
    pub(crate) fn for_policy(&self) -> Result<Recipients, Failure> {
        match self {
            Self::Audience(audience) => Audience::new(audience).map(Recipients::from),
            Self::Clients(clients) => {
                let (first, others) = clients
                    .split_first()
                    .map_or(("", [].as_slice()), |(first, others)| (first.as_str(), others));
                Recipients::clients(first, others.iter().cloned())
            }
        }
        .map_err(|_empty| Failure::usage("an audience and a client's id must not be empty."))
    }
}
