//! What is known of a request further in.

use http::Extensions;

use crate::guard::Guard;
use crate::verified::Verified;

/// In the extensions of a request that passed a guard without being verified.
#[derive(Clone)]
pub(crate) struct Nobody(pub(crate) Guard);

/// What is known of a request.
#[cfg(feature = "axum")]
pub(crate) enum Standing<'a> {
    Verified(&'a Verified),
    /// It passed this guard.
    Nobody(&'a Guard),
    /// It met no guard.
    Unknown,
}

#[cfg(feature = "axum")]
pub(crate) fn standing(extensions: &Extensions) -> Standing<'_> {
    match (extensions.get::<Verified>(), extensions.get::<Nobody>()) {
        (Some(verified), _) => Standing::Verified(verified),
        (None, Some(Nobody(guard))) => Standing::Nobody(guard),
        (None, None) => Standing::Unknown,
    }
}

/// The latest guard counts.
pub(super) fn note_verified(extensions: &mut Extensions, verified: Verified) {
    extensions.insert(verified);
}

/// Whoever was verified further out stays somebody.
pub(super) fn note_nobody(extensions: &mut Extensions, guard: &Guard) {
    if extensions.get::<Verified>().is_none() {
        extensions.insert(Nobody(guard.clone()));
    }
}
