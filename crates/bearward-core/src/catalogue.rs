//! Every code, with its cause and what to do about it: the one place. `docs/reference/errors.md` and `bearward explain`
//! tell what stands here.
//!
//! A variant of [`Rejection`] or [`Unavailable`] without an entry doesn't compile.

use crate::rejection::{Rejection, Unavailable};

/// What there is to say about a code, whatever the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The code, in `snake_case`. Never changed once released.
    pub code: &'static str,
    /// What it is about.
    pub section: Section,
    /// What happened: a sentence. Fit for Markdown, as `remedy`.
    pub cause: &'static str,
    /// What to do: a sentence or two.
    pub remedy: &'static str,
}

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Section {
    /// Scheme, token and proof as they stand in the request.
    Fields,
    /// The token as a text.
    Shape,
    /// Who signed the token.
    Signer,
    /// What the token says.
    Claims,
    /// Which key the token is bound to.
    Binding,
    /// The proof that the client holds that key.
    Proof,
    /// What the token grants.
    Scope,
    /// Requests that can't be decided now.
    Undecided,
}

impl Section {
    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Fields => "The Authorization and DPoP fields",
            Self::Shape => "The shape of the token",
            Self::Signer => "The issuer and its keys",
            Self::Claims => "The claims",
            Self::Binding => "The binding of the token to a key",
            Self::Proof => "The DPoP proof",
            Self::Scope => "The scope",
            Self::Undecided => "When it can't be decided now",
        }
    }
}

/// Makes the list of all entries, and the way from a value to its entry, out of one table.
macro_rules! catalogue {
    (
        $(#[$documentation:meta])*
        $list:ident of $type:ident:
        $($section:ident { $($variant:ident $code:literal: $cause:literal $remedy:literal)+ })+
    ) => {
        $(#[$documentation])*
        pub const $list: &[Entry] = &[
            $($(Entry { code: $code, section: Section::$section, cause: $cause, remedy: $remedy },)+)+
        ];

        impl $type {
            /// Its entry in the catalogue.
            pub fn entry(&self) -> &'static Entry {
                match self {
                    $($(Self::$variant { .. } => {
                        &Entry { code: $code, section: Section::$section, cause: $cause, remedy: $remedy }
                    })+)+
                }
            }
        }
    };
}

catalogue! {
    /// Why requests are refused, in the order in which things are checked.
    REJECTIONS of Rejection:

    Fields {
        MissingAuthorization "missing_authorization":
            "There is no Authorization field, or an empty one."
            "Send `Authorization: Bearer TOKEN`. If the client does, look for a proxy, a redirect or a CORS setting that drops the field."
        MultipleAuthorizationFields "multiple_authorization_fields":
            "There is more than one Authorization field."
            "Send one: client and proxy must not both add it."
        UnknownScheme "unknown_scheme":
            "The scheme is neither Bearer nor DPoP."
            "Write the word `Bearer`, or `DPoP`, and a space before the token."
        SchemeWithoutToken "scheme_without_token":
            "There is a scheme with nothing behind it."
            "Put the token behind it: the variable that should hold it is probably empty."
        BearerNotAccepted "bearer_not_accepted":
            "The token came as Bearer, and the API requires DPoP."
            "Send a token that is bound to a key with `Authorization: DPoP TOKEN` and a proof, or let the API take Bearer too (`dpop_required=False`)."
        DpopNotAccepted "dpop_not_accepted":
            "The token came with the scheme DPoP, and the API doesn't accept it."
            "Send it as Bearer, or let the API take DPoP (`dpop_enabled=True`)."
        ProofMissing "proof_missing":
            "The DPoP scheme was used without a DPoP field."
            "Make a proof for each request and send it in the field `DPoP`; `bearward call` shows one that does."
        MultipleProofs "multiple_proofs":
            "There is more than one DPoP field, or several proofs in one."
            "Send one proof. When a request is sent again, replace the field instead of adding to it."
    }

    Shape {
        TokenTooLarge "token_too_large":
            "The token is longer than the limit, 16 KiB by default."
            "Put less into it: long lists of permissions or custom claims belong into the API's own store."
        OpaqueToken "opaque_token":
            "The token is not a JWT. Auth0 gives such tokens when no `audience` was asked for."
            "Name the API's identifier as `audience` when the token is requested: in `/authorize`, in the SDK's `authorizationParams`, or in the form of `/oauth/token`."
        EncryptedToken "encrypted_token":
            "The token is encrypted (JWE); the API takes signed ones."
            "In Auth0, switch off JSON Web Encryption (JWE) in the API's Token Settings."
        MalformedHeader "malformed_header":
            "The header is not base64url, or not strict JSON."
            "Compare the token with the one that was issued: something on the way cut it off, wrapped it or encoded it again."
        CriticalHeader "critical_header":
            "The header asks for an extension (`crit`, `b64`)."
            "Ask the issuer for a plain JWT: no extension is understood here."
        AlgorithmMissing "algorithm_missing":
            "The header has no `alg`."
            "This is no token of an OAuth 2 issuer: find out who made it."
        SymmetricAlgorithm "symmetric_algorithm":
            "The token is signed with HS256, HS384 or HS512: whoever can verify such a token can also make one."
            "In Auth0, set the API's Signing Algorithm to RS256 (in its Token Settings), and get a new token."
        AlgorithmNotAllowed "algorithm_not_allowed":
            "`alg` is another one than those that the configuration allows."
            "Set the API's Signing Algorithm in Auth0 to one that is allowed here (RS256 by default), or allow this one."
        UnexpectedTokenType "unexpected_token_type":
            "`typ` says that this is another kind of JWT."
            "Send the access token, not a logout token, a security event or a proof."
        MalformedPayload "malformed_payload":
            "The payload is not base64url, or not strict JSON."
            "Compare the token with the one that was issued: something on the way cut it off, wrapped it or encoded it again."
        MalformedSignature "malformed_signature":
            "The signature is not canonical base64url."
            "Compare the token's end with that of the one that was issued: it was probably cut off, or something was added."
    }

    Signer {
        IssuerMissing "issuer_missing":
            "There is no `iss`."
            "Send an access token of the tenant; this one doesn't say who issued it."
        IssuerMalformed "issuer_malformed":
            "`iss` is not the URL of an issuer."
            "Send an access token of the tenant: `iss` must be `https://` and the tenant's host."
        OtherIssuer "other_issuer":
            "`iss` is not the configured issuer."
            "Make the API's domain (`AUTH0_DOMAIN`) and the one that the client gets its tokens from the same. A custom domain and the `auth0.com` name of one tenant are two issuers."
        IssuerNotAllowed "issuer_not_allowed":
            "`iss` is none of the configured issuers."
            "Add the token's issuer to `domains`, if it is yours, or get the token from one of those that are listed."
        KidMissing "kid_missing":
            "The header has no `kid`."
            "Send a token that the tenant signed: Auth0 always sets `kid`."
        UnknownKid "unknown_kid":
            "The issuer publishes no such key, as of its present key set."
            "Get a new token. If that is refused too, it comes from another tenant, or the key was revoked."
        UnusableKey "unusable_key":
            "The key is published, but weak, malformed, or not for this use."
            "Have the issuer rotate to a key that fits: RSA of 2048 bits or more for RS256, with `use` `sig`, and without private parts."
        SignatureInvalid "signature_invalid":
            "The signature is not the key's over these bytes."
            "Send the token exactly as it was issued. If it is, somebody else made it: don't trust what it says."
    }

    Claims {
        IssuerMismatch "issuer_mismatch":
            "`iss` is spelled otherwise than in the issuer's discovery document."
            "Have the issuer spell itself in one way, byte for byte: mind the slash at the end and upper case."
        AudienceMissing "audience_missing":
            "`aud` is missing, or neither a string nor an array of strings."
            "Name the API's identifier as `audience` when the token is requested."
        AudienceMismatch "audience_mismatch":
            "`aud` is a string, and another one. It is compared byte for byte."
            "Ask for the token with this API's identifier as `audience`, or set the API's audience (`AUTH0_AUDIENCE`) to its identifier in Auth0. Mind a slash at the end."
        AudienceNotListed "audience_not_listed":
            "`aud` is an array without the audience. It is compared byte for byte."
            "Ask for the token with this API's identifier as `audience`, or set the API's audience (`AUTH0_AUDIENCE`) to its identifier in Auth0. Mind a slash at the end."
        ExpiryMissing "expiry_missing":
            "`exp` is missing, or not a number in range."
            "Send a token that ends: one without `exp` would be good for ever."
        TokenExpired "token_expired":
            "`exp` has passed."
            "Get a new token. If new ones are refused as well, compare the clocks: `leeway` grants a difference."
        NotBeforeMalformed "not_before_malformed":
            "`nbf` is not a number in range."
            "Have the issuer write `nbf` as a number of seconds since 1970, or leave it out."
        TokenNotYetValid "token_not_yet_valid":
            "`nbf` has not come."
            "Wait for it. If that happens with new tokens, the clocks disagree: have them set by NTP; `leeway` grants a difference."
        IssuedAtMissing "issued_at_missing":
            "`iat` is missing, or not a number in range."
            "Send a token of the tenant: access tokens say when they were issued."
        SubjectMalformed "subject_malformed":
            "`sub` is not a string."
            "Have the issuer write `sub` as a string: look for an Action or Rule that changes it."
        RequiredClaimMissing "required_claim_missing":
            "A claim that the caller requires is missing."
            "Have the issuer add it (in Auth0 an Action with `api.accessToken.setCustomClaim`), or don't require it."
    }

    Binding {
        BoundTokenAsBearer "bound_token_as_bearer":
            "The token is bound to a key, and came as Bearer."
            "Send it with `Authorization: DPoP TOKEN` and a proof by its key, or get a token that is bound to none. If a client didn't do this, the token was stolen."
        ProofWithBearer "proof_with_bearer":
            "A proof stands beside a Bearer token."
            "Use the scheme `DPoP` with a bound token, or leave the field `DPoP` out."
        ConfirmationMalformed "confirmation_malformed":
            "`cnf` is not an object."
            "Have the issuer write `cnf` as RFC 7800 says: look for an Action or Rule that sets it."
        ConfirmationMissing "confirmation_missing":
            "The token came with a proof, and is bound to no key."
            "Send a proof with the request to the token endpoint too, so that the token gets bound; in Auth0 see Token Sender-Constraining of the application and of the API. Or send this token as Bearer."
        ConfirmationNotSupported "confirmation_not_supported":
            "`cnf` names a method besides `jkt` that can't be checked here, such as mutual TLS."
            "Choose DPoP alone for this API (in Auth0: Token Sender-Constraining)."
        ThumbprintMissing "thumbprint_missing":
            "`cnf` has no `jkt`: the token is bound in a way that can't be checked here, such as mutual TLS."
            "Choose DPoP for this API (in Auth0: Token Sender-Constraining), or no binding."
        ThumbprintMalformed "thumbprint_malformed":
            "`cnf.jkt` is not a string, or an empty one."
            "Have the issuer write the key's thumbprint there, as RFC 9449 section 6.1 says."
        ConfirmationMismatch "confirmation_mismatch":
            "The proof was made with another key than the token is bound to."
            "Make the proof with the key that the token was requested with. A client that made a new key since then needs a new token."
    }

    Proof {
        ProofTooLarge "proof_too_large":
            "The proof is longer than the limit, 16 KiB."
            "Put nothing into it but what RFC 9449 section 4.2 names."
        ProofNotAJws "proof_not_a_jws":
            "The proof doesn't have three segments."
            "Send a signed JWT in the field `DPoP`, and nothing else."
        MalformedProofHeader "malformed_proof_header":
            "The header can't be read."
            "Write it as strict JSON in base64url without padding."
        ProofCriticalHeader "proof_critical_header":
            "The header asks for an extension (`crit`, `b64`)."
            "Leave them out: no extension is understood here."
        ProofType "proof_type":
            "`typ` is not `dpop+jwt`."
            "Set the header's `typ` to `dpop+jwt`."
        ProofAlgorithm "proof_algorithm":
            "`alg` is not one of those allowed."
            "Sign with ES256, or allow this algorithm (`dpop_algorithms`)."
        ProofKeyMissing "proof_key_missing":
            "There is no `jwk`, or it is no object."
            "Put the public key into the header as `jwk`."
        ProofKeyPrivate "proof_key_private":
            "`jwk` holds a private key: the client gives its key away."
            "Put the public members alone into `jwk`, and make a new key: this one is burnt."
        ProofKeyType "proof_key_type":
            "`jwk` is no EC key, and ES256 needs one."
            "Make an EC key on P-256, or name the algorithm that fits the key."
        ProofKeyCurve "proof_key_curve":
            "`jwk` is not on P-256, and ES256 needs it."
            "Make an EC key on P-256, or name the algorithm that fits the key."
        ProofKeyUnusable "proof_key_unusable":
            "`jwk` can't be used."
            "Write the key's members as RFC 7518 section 6 says: base64url, without padding, of full length."
        MalformedProofSignature "malformed_proof_signature":
            "The signature is not canonical base64url."
            "Write it in base64url without padding."
        ProofSignatureInvalid "proof_signature_invalid":
            "The proof is not signed by the key in its header."
            "Sign with the private half of `jwk`, over the bytes that are sent; ES256 has R and S one behind the other, not DER."
        MalformedProofPayload "malformed_proof_payload":
            "The payload can't be read."
            "Write it as strict JSON in base64url without padding."
        ProofClaimsMissing "proof_claims_missing":
            "Required claims are missing."
            "Put `jti`, `htm`, `htu`, `iat` and `ath` into each proof for an API."
        ProofIdentifierMalformed "proof_identifier_malformed":
            "`jti` is not a string."
            "Write a random string, a new one for each proof."
        ProofIdentifierEmpty "proof_identifier_empty":
            "`jti` is empty."
            "Write a random string, a new one for each proof."
        NonceMissing "nonce_missing":
            "The API wants a nonce, and there is none."
            "Send a new proof with the nonce that the answer's field `DPoP-Nonce` holds."
        NonceRefused "nonce_refused":
            "The nonce is not one of this API's, or too old."
            "Send a new proof with the nonce of the latest answer. If that goes on, the API's workers don't share one `dpop_nonce_key`."
        ProofIssuedAtMalformed "proof_issued_at_malformed":
            "`iat` is not a number in range."
            "Write it as a number of seconds since 1970, not milliseconds and not a string."
        ProofTooOld "proof_too_old":
            "`iat` lies too far in the past."
            "Make a new proof for each request, when it is sent. If that is done, the client's clock is behind."
        ProofFromFuture "proof_from_future":
            "`iat` lies too far in the future."
            "Set the client's clock, or the API's: they disagree. `dpop_iat_leeway` says how much is granted."
        ProofExpired "proof_expired":
            "`exp` is present and has passed."
            "Make a new proof for each request; it needs no `exp`."
        ProofNotYetValid "proof_not_yet_valid":
            "`nbf` is present and has not come."
            "Leave `nbf` out of proofs, or set the clocks."
        ProofMethodMismatch "proof_method_mismatch":
            "`htm` is not the request's method."
            "Name the method as it is sent, in upper case; make a new proof for each request."
        ProofUrlMismatch "proof_url_mismatch":
            "`htu` is not the request's URL."
            "Name scheme, host, port and path as they are sent, without query. Behind a proxy the API has to be told its public URL (`public_origin`)."
        ProofTokenMismatch "proof_token_mismatch":
            "`ath` is not the hash of this access token."
            "Make the proof with the token that is sent: `ath` is base64url(SHA-256(token)) without padding. After the token was renewed it is another one."
        ProofReplayed "proof_replayed":
            "The proof was used before."
            "Make a new proof for each request, also when one is tried again. If the client does, somebody recorded the proof."
    }

    Scope {
        InsufficientScope "insufficient_scope":
            "The token is good, but doesn't grant all of the required scopes."
            "Ask for them in `scope` when the token is requested; in Auth0 the API must define them, and the user or application must be granted them."
    }
}

catalogue! {
    /// Why requests can't be decided now.
    UNAVAILABLE of Unavailable:

    Undecided {
        Document "issuer_unavailable":
            "The issuer's discovery document or key set can't be had, and no usable one is kept. The log says which, and what became of the last try."
            "See whether the API's host reaches the issuer: `AUTH0_DOMAIN`, DNS, proxy, firewall, certificate authorities."
        ReplayLogFull "replay_log_full":
            "This process remembers as many used DPoP proofs as it may, and this client has more than its share of them."
            "Find out why one client sends so much. Several processes with a `ReplayStore` remember more."
        ReplayStore "replay_store_unavailable":
            "The `ReplayStore` failed or took longer than `store_timeout`."
            "Bring the store back. `on_store_error=\"allow\"` takes proofs unchecked instead."
    }
}

impl Rejection {
    /// Its name in `snake_case`: for logs, metrics and tests. Never changed once released.
    pub fn code(&self) -> &'static str {
        self.entry().code
    }
}

impl Unavailable {
    /// Its name in `snake_case`, as [`Rejection::code`].
    pub fn code(&self) -> &'static str {
        self.entry().code
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_stands_once_and_is_snake_case() {
        let codes: Vec<&str> = REJECTIONS.iter().chain(UNAVAILABLE).map(|entry| entry.code).collect();
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
        for code in codes {
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
        }
    }

    #[test]
    fn cause_and_remedy_are_sentences_that_fit_into_a_table() {
        for Entry { code, cause, remedy, .. } in REJECTIONS.iter().chain(UNAVAILABLE) {
            for text in [cause, remedy] {
                assert!(text.ends_with('.') && !text.contains(['\n', '|']), "{code}: {text}");
            }
        }
    }
}
