//! Every bound on what an issuer or a caller can make us keep or send, each with its reason.

use std::time::Duration;

/// How long the code of a device flow is good at most, however long its issuer says: nobody waits longer in front of a
/// terminal.
pub const DEVICE_CODE_WAIT: Duration = Duration::from_secs(30 * 60);

/// Most values of one further parameter of a token exchange: what a caller passes on from its own callers has an end.
pub const EXTRA_VALUES: usize = 20;

/// Most granted tokens that are kept for calls that ask for the same again. With 2 KiB each they take 20 MB.
pub const TOKENS_KEPT: usize = 10_000;

/// Longest answer with a granted token that is kept, bytes. Answers are 1 to 3 KiB; at worst all together are 160 MB.
pub const KEPT_TOKEN_BYTES: usize = 16 * 1024;

/// For how long before its end a granted token is no longer given to anybody: it has to be of use on arrival.
pub const KEPT_TOKEN_MARGIN: Duration = Duration::from_secs(30);
