//! Every bound on what a stranger can make us do, each with its reason.

use std::time::Duration;

/// Longest access token looked at, bytes. Servers cap a header field at 8 to 64 KiB; Auth0's tokens are about 1 KiB.
pub const TOKEN_BYTES: usize = 16 * 1024;

/// Longest DPoP proof looked at, bytes. With an RSA key in its header one has 1 KiB, with an EC key half of that.
pub const PROOF_BYTES: usize = 16 * 1024;

/// Most proofs that the replay log of a process holds. An entry takes 10 to 21 bytes, and a client's first one some 80
/// more: 42 MB if few clients fill it, 200 MB if each entry is another client's. Within the 360 s that a proof is
/// remembered by default it takes 5500 requests a second to fill it.
pub const REPLAY_ENTRIES: usize = 2_000_000;

/// Deepest nesting of a JSON text. Claims nest three or four deep; the parser recurses once per level.
pub const JSON_DEPTH: usize = 32;

/// Longest document (discovery, key set) looked at, decoded bytes. Auth0's are below 10 KiB.
pub const DOCUMENT_BYTES: usize = 1024 * 1024;

/// Most issuers whose documents are kept. A tenant has a few domains; ten thousand would take some 100 MB.
pub const ISSUERS_KEPT: usize = 100;

/// Most keys of a set that are looked at. Auth0 publishes two or three.
pub const KEYS_IN_SET: usize = 100;

/// Most keys tried for one token: so many keys may share one `kid`. A signature check is what costs.
pub const KEYS_TRIED: usize = 4;

/// Longest `kid` of a published key that is kept, bytes.
pub const KID_BYTES: usize = 512;

/// Shortest and longest RSA modulus, bits: RFC 7518 §3.3 asks for 2048; beyond 8192 a check takes milliseconds.
pub const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

/// How long a fetched document is used at least, however short its `max-age`: no fetch per request.
pub const FRESH_AT_LEAST: Duration = Duration::from_secs(5);

/// How long the last good document is used when it can't be fetched anew: Auth0 sends `stale-if-error=86400`.
pub const STALE_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a document may go on being used beyond its time while it is fetched again, however much more its
/// `stale-while-revalidate` grants: a withdrawn key lives this much longer at most. Auth0 sends 15 seconds.
pub const REVALIDATE_AT_MOST: Duration = Duration::from_secs(60);

/// How long after a first failed fetch the next one may start; doubled with each further failure.
pub const BACK_OFF_FIRST: Duration = Duration::from_secs(1);

/// The longest time between two tries, so that an issuer that is back is noticed within a minute.
pub const BACK_OFF_AT_MOST: Duration = Duration::from_secs(60);

/// How long an issuer may ask us to stay away with `Retry-After`.
pub const RETRY_AFTER_AT_MOST: Duration = Duration::from_secs(300);

/// How long after a fetch for an unknown `kid` the next one may start, whatever the first one brought.
/// Counted from the attempt, so that a flood of made-up `kid`s costs the issuer one request per half minute.
pub const UNKNOWN_KID_COOLDOWN: Duration = Duration::from_secs(30);

/// How long after a key set came from its issuer the first one to look into it, and to miss a `kid`, doesn't ask for it
/// again. A key that is published in between is found by the next token that names it.
pub const JUST_NOW: Duration = Duration::from_secs(1);

/// How long a fetch that was asked for counts as under way if nothing is heard of it.
pub const FETCH_DEADLINE: Duration = Duration::from_secs(10);

/// How far ahead of our clock a user's login may lie (`auth_time`), since clocks differ. More would be no time of a login.
pub const AUTH_TIME_AHEAD: Duration = Duration::from_secs(60);
