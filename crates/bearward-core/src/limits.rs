//! Every bound on what a stranger can cause, each with its reason.

use std::time::Duration;

/// Longest access token that is read, bytes. Servers cap a header field at 8 to 64 KiB; Auth0's tokens are about 1 KiB.
pub const TOKEN_BYTES: usize = 16 * 1024;

/// Longest DPoP proof that is read, bytes. A proof with an RSA key in its header has 1 KiB, one with an EC key half of that.
pub const PROOF_BYTES: usize = 16 * 1024;

/// Longest header field with a client's certificate that is read, bytes. A certificate with an RSA key of 4096 bits has 2 KiB,
/// and some 3 KiB as PEM with percent-encoding; Envoy may add the chain.
pub const CERTIFICATE_BYTES: usize = 32 * 1024;

/// Most proofs that the replay log of a process holds. An entry takes 10 to 21 bytes, and a client's first one some 80
/// more: 42 MB if few clients fill it, 200 MB if each entry is another client's. Within the 365 s that a proof is
/// remembered by default it takes 5500 requests a second to fill it.
pub const REPLAY_ENTRIES: usize = 2_000_000;

/// How much the clocks of our own servers, and of a store they share, may differ. A used proof is remembered for so much
/// longer than one clock says. Hosts with NTP differ by milliseconds.
pub const CLOCKS_OF_SERVERS: Duration = Duration::from_secs(5);

/// Deepest nesting of a JSON text. Claims nest three or four deep; the parser recurses once per level.
pub const JSON_DEPTH: usize = 32;

/// Longest document (discovery, key set) that is read, decoded bytes. Auth0's have less than 10 KiB.
pub const DOCUMENT_BYTES: usize = 1024 * 1024;

/// Longest JSON-RPC body whose operations are looked for, bytes. The SDKs of MCP read as much.
pub const OPERATION_BYTES: usize = 4 * 1024 * 1024;

/// Most issuers whose documents are kept. A tenant has a few domains. Ten thousand issuers would take about 100 MB.
pub const ISSUERS_KEPT: usize = 100;

/// Most keys of a set that are read. Auth0 publishes two or three, large issuers some hundreds; to prepare a thousand
/// takes some 20 ms.
pub const KEYS_IN_SET: usize = 1000;

/// Most keys that are tried for one token, because keys may share a `kid`. Each signature check takes time.
pub const KEYS_TRIED: usize = 4;

/// Most private keys of an API that open encrypted tokens. Each one that is tried takes a millisecond; two are enough to exchange
/// a key.
pub const DECRYPTION_KEYS: usize = 4;

/// Longest `kid` of a published key that is kept, bytes.
pub const KID_BYTES: usize = 512;

/// Shortest and longest RSA modulus, bits. RFC 7518 §3.3 requires 2048. Above 8192 a check takes milliseconds.
pub const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

/// How long a fetched document is used at least, even if its `max-age` is shorter: no request may cause a fetch each time.
pub const FRESH_AT_LEAST: Duration = Duration::from_secs(5);

/// How long the last good document is used while it can't be fetched again. Auth0 sends `stale-if-error=86400`.
pub const STALE_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a document may be used beyond its time while it is fetched again, even if its `stale-while-revalidate` is
/// longer. A withdrawn key is accepted this much longer at most. Auth0 sends 15 seconds.
pub const REVALIDATE_AT_MOST: Duration = Duration::from_secs(60);

/// How long after the first failed fetch the next one may start. Doubled with each further failure.
pub const BACK_OFF_FIRST: Duration = Duration::from_secs(1);

/// The longest time between two tries, so that it is noticed within a minute that an issuer works again.
pub const BACK_OFF_AT_MOST: Duration = Duration::from_secs(60);

/// The longest `Retry-After` of an issuer that is respected.
pub const RETRY_AFTER_AT_MOST: Duration = Duration::from_secs(300);

/// The longest `Retry-After` while a store of used proofs fails, seconds. The clients' times lie between 1 and this, so
/// that not all come back in the same second.
pub const STORE_RETRY_AFTER_AT_MOST: u64 = 4;

/// How long after a fetch for an unknown `kid` the next one may start, whether the first one found the key or not.
/// Counted from the start of the fetch, so that a flood of made-up `kid`s causes one request to the issuer in 30 seconds.
pub const UNKNOWN_KID_COOLDOWN: Duration = Duration::from_secs(30);

/// How long a request waits for a newer document if there is an older one that can be used. So a slow issuer does not delay
/// requests for longer.
pub const WAIT_FOR_NEWER: Duration = Duration::from_secs(1);

/// How many fetches unverified tokens may cause at once. A server that starts with some hundreds of issuers fetches two
/// documents of each.
pub const FETCHES_AT_ONCE: f64 = 1000.0;

/// How many more fetches unverified tokens may cause each second.
pub const FETCHES_PER_SECOND: f64 = 100.0;

/// Most issuers without documents that are remembered, because a fetch failed or is under way.
pub const ISSUERS_FAILING: usize = 10_000;

/// How many verified tokens are remembered by default. With 1.5 KiB each they take 15 MB.
pub const TOKENS_REMEMBERED: usize = 10_000;

/// How many verified tokens a policy can have remembered. The places for ten million take 16 MB, and 128 MB more once there
/// are tokens.
pub const TOKENS_REMEMBERED_AT_MOST: usize = 10_000_000;

/// What a remembered token may take of the memory, bytes: one that takes more counts for several.
pub const REMEMBERED_TOKEN_BYTES: u64 = 1536;

/// What a remembered token takes besides its claims, bytes: digest, reference counts, places in tables.
pub const REMEMBERED_TOKEN_OVERHEAD: u64 = 256;

/// Longest answer of an introspection endpoint that is read, bytes. They have about 1 KiB.
pub const INTROSPECTION_BYTES: usize = 64 * 1024;

/// How many answers of an introspection endpoint are remembered, each for some seconds.
pub const INTROSPECTIONS_REMEMBERED: usize = 10_000;

/// How much memory these answers take together, bytes.
pub const INTROSPECTIONS_REMEMBERED_BYTES: u64 = 16 * 1024 * 1024;

/// Most questions to an introspection endpoint that have no answer yet.
pub const INTROSPECTIONS_UNDER_WAY: usize = 10_000;

/// How long an answer of an introspection endpoint is used, unless a policy says otherwise. A revoked token is accepted so
/// much longer.
pub const INTROSPECTION_REMEMBERED_FOR: Duration = Duration::from_secs(30);

/// The longest time that a policy can say instead.
pub const INTROSPECTION_REMEMBERED_AT_MOST: Duration = Duration::from_secs(300);

/// What is kept with a remembered token of the client that it is bound to, bytes: its key, and the header of its proofs.
pub const REMEMBERED_CLIENT_BYTES: usize = 2048;

/// How long a remembered token that nobody uses keeps its place while there is no room for others.
pub const REMEMBERED_TOKEN_IDLE: Duration = Duration::from_secs(60);

/// After this time, a fetch that has not ended is taken for lost.
pub const FETCH_DEADLINE: Duration = Duration::from_secs(10);

/// How far ahead of our clock a user's login may lie (`auth_time`), since clocks differ. More would be no time of a login.
pub const AUTH_TIME_AHEAD: Duration = Duration::from_secs(60);
