//! Every bound on what an issuer or a caller can make us keep or send, each with its reason.

use std::time::Duration;

/// Longest time that polling for a device code goes on, whatever the issuer says: a user does not wait longer than half an
/// hour in front of a terminal.
pub const DEVICE_CODE_WAIT: Duration = Duration::from_secs(30 * 60);

/// Most values of one further parameter of a token exchange: a caller may pass on what its own callers send.
pub const EXTRA_VALUES: usize = 20;

/// Most granted tokens that are kept for calls that ask for the same again. With 2 KiB each they take 20 MB.
pub const TOKENS_KEPT: usize = 10_000;

/// Longest answer with a granted token that is kept, bytes. Answers are 1 to 3 KiB; at worst all together are 160 MB.
pub const KEPT_TOKEN_BYTES: usize = 16 * 1024;

/// A kept token is not used any more this long before it expires: it still has to be valid when it arrives at the API.
pub const KEPT_TOKEN_MARGIN: Duration = Duration::from_secs(30);
