//! Every code, with its cause and its remedy. The texts are written only here: `docs/reference/errors.md` and
//! `bearward explain` print them.
//!
//! A variant of [`Rejection`], [`Unavailable`] or [`ResolverFailure`] without an entry doesn't compile. Codes that only the
//! Python package has are in [`PYTHON_CODES`], those of the Rust crate for services in [`RUST_CODES`].
//!
//! Causes and remedies use neutral words. What a remedy says about Auth0's dashboard follows it after `@auth0`, so
//! that a reader with another issuer can be spared it. A remedy names a setting as `{setting}`, and [`Entry::remedy`]
//! writes the setting as the reader's front end spells it.

mod entry;
mod front_end;
mod python;
mod rust;

pub use entry::{Entry, Section};
pub use front_end::FrontEnd;
pub use python::{PYTHON_CODES, PythonCode};
pub use rust::RUST_CODES;

use crate::refusal::{Cause, ResolverFailure, Unavailable};
use crate::rejection::Rejection;

/// What a table has in a place that may be empty.
macro_rules! optional {
    () => {
        None
    };
    ($text:literal) => {
        Some($text)
    };
}

/// Makes two things from one table: the list of all entries, and the function from a value to its entry.
macro_rules! catalogue {
    (
        $(#[$documentation:meta])*
        $list:ident of $type:ident:
        $($section:ident { $($variant:ident $code:literal: $cause:literal $remedy:literal $(@auth0 $auth0:literal)?)+ })+
    ) => {
        $(#[$documentation])*
        pub const $list: &[Entry] = &[
            $($(Entry {
                code: $code, section: Section::$section, cause: $cause, remedy: $remedy, auth0: optional!($($auth0)?),
            },)+)+
        ];

        impl $type {
            /// Its entry in the catalogue.
            pub fn entry(&self) -> &'static Entry {
                match self {
                    $($(Self::$variant { .. } => {
                        &Entry {
                            code: $code, section: Section::$section, cause: $cause, remedy: $remedy,
                            auth0: optional!($($auth0)?),
                        }
                    })+)+
                }
            }
        }
    };
}

catalogue! {
    /// Why a request is refused, in the order of the checks.
    REJECTIONS of Rejection:

    Fields {
        MissingAuthorization "missing_authorization":
            "The request has no Authorization field, or an empty one."
            "Send `Authorization: Bearer TOKEN`. If the client does that already, look for a proxy, a redirect or a CORS setting that drops the field."
        MultipleAuthorizationFields "multiple_authorization_fields":
            "The request has more than one Authorization field."
            "Send one field. Check whether the client and a proxy both add one."
        UnknownScheme "unknown_scheme":
            "The scheme is neither Bearer nor DPoP."
            "Write the word `Bearer` or `DPoP`, then a space, then the token."
        SchemeWithoutToken "scheme_without_token":
            "There is a scheme, but no token after it."
            "Put the token after the scheme. The variable that should hold the token is probably empty."
        BearerNotAccepted "bearer_not_accepted":
            "The token came as Bearer, and the API requires DPoP."
            "Send a token that is bound to a key with `Authorization: DPoP TOKEN` and a proof, or let the API accept Bearer as well ({dpop_required})."
        DpopNotAccepted "dpop_not_accepted":
            "The token came with the scheme DPoP, and the API does not accept DPoP."
            "Send the token as Bearer, or let the API accept DPoP ({dpop_enabled})."
        ProofMissing "proof_missing":
            "The request uses the DPoP scheme, but has no DPoP field."
            "Make a proof for each request and send it in the field `DPoP`. `bearward call` shows such a request."
        MultipleProofs "multiple_proofs":
            "There is more than one DPoP field, or one field with several proofs."
            "Send one proof. When a request is sent again, replace the field instead of adding a second one."
    }

    Shape {
        TokenTooLarge "token_too_large":
            "The token is longer than the limit, 16 KiB by default."
            "Put less into the token: long lists of permissions or custom claims belong in the API's own database."
        OpaqueToken "opaque_token":
            "The token is not a JWT. Issuers give such tokens to clients that name no API, or that are configured so."
            "Have the issuer give JWT access tokens for this API, and name the API when the token is requested. Or, if the issuer has an introspection endpoint, let the API ask it about such tokens ({introspection})."
            @auth0 "In Auth0, request the token with the API's identifier as `audience`: in `/authorize`, in the SDK's `authorizationParams`, or in the form sent to `/oauth/token`."
        EncryptedToken "encrypted_token":
            "The token is encrypted (JWE), and the API has no key to open it."
            "Give the API the private key of the public key that the tokens are encrypted for ({decryption_keys}). Or have the issuer send signed tokens to this API, without encryption."
            @auth0 "In Auth0, switch off JSON Web Encryption (JWE) in the API's Token Settings."
        EncryptionNotSupported "encryption_not_supported":
            "The token is encrypted with an algorithm that is not accepted, is compressed (`zip`), or its header asks for an extension (`crit`)."
            "Have the issuer encrypt with `alg` `RSA-OAEP-256` and `enc` `A256GCM` or `A128GCM`, without compression."
        DecryptionFailed "decryption_failed":
            "The encrypted token cannot be opened: it is for another key, or was changed or cut off."
            "Compare the public key that the issuer encrypts for with the API's private keys ({decryption_keys}). While a key is exchanged, the API needs the old and the new one."
        ContentNotSigned "content_not_signed":
            "The token was decrypted, and what is inside is not a signed JWT."
            "Have the issuer sign the token before it encrypts it. Encryption alone does not say who made a token: everybody may have the public key."
        MalformedHeader "malformed_header":
            "The token's header is not base64url, or not strict JSON."
            "Compare the token with the one that was issued: something cut it off, wrapped it or encoded it a second time."
        CriticalHeader "critical_header":
            "The token's header asks for an extension (`crit`, `b64`)."
            "Ask the issuer for a plain JWT: Bearward supports no extension."
        AlgorithmMissing "algorithm_missing":
            "The token's header has no `alg`."
            "Find out what made this token: an OAuth 2 issuer always writes `alg`."
        SymmetricAlgorithm "symmetric_algorithm":
            "The token is signed with HS256, HS384 or HS512: every service that can verify such a token can also make one."
            "Have the issuer sign this API's tokens with a key pair, and get a new token."
            @auth0 "In Auth0, set the API's Signing Algorithm to RS256 (in its Token Settings)."
        AlgorithmNotAllowed "algorithm_not_allowed":
            "The token's `alg` is not one that the API accepts."
            "Let the API accept this algorithm ({algorithms}), or have the issuer sign with one that the API accepts (RS256 by default)."
            @auth0 "In Auth0, that is the API's Signing Algorithm in its Token Settings."
        UnexpectedTokenType "unexpected_token_type":
            "`typ` says that this JWT is not an access token."
            "Send the access token, not a logout token, a security event or a proof."
        MalformedPayload "malformed_payload":
            "The token's payload is not base64url, or not strict JSON."
            "Compare the token with the one that was issued: something cut it off, wrapped it or encoded it a second time."
        ReplicatedClaimMismatch "replicated_claim_mismatch":
            "The header of the encrypted token has an `iss`, `sub` or `aud` that differs from the claim inside."
            "Have the issuer write the same value in both places, or leave it out of the header. If no issuer of yours made this token, it is an attack."
        MalformedSignature "malformed_signature":
            "The token's signature is not canonical base64url."
            "Compare the end of the token with the one that was issued: it was probably cut off, or something was added."
    }

    Signer {
        IssuerMissing "issuer_missing":
            "The token has no `iss`."
            "Send an access token of the issuer: this token does not say who issued it."
        IssuerMalformed "issuer_malformed":
            "`iss` is not the URL of an issuer."
            "Send an access token of the issuer: `iss` must be the issuer's URL, which begins with `https://`."
        OtherIssuer "other_issuer":
            "`iss` is not the issuer that the API is configured for."
            "Configure the API for the same issuer that the client gets its tokens from ({domain})."
            @auth0 "A tenant's custom domain and its `auth0.com` domain are two different issuers."
        IssuerNotAllowed "issuer_not_allowed":
            "`iss` is not one of the issuers that the API is configured for."
            "If the token's issuer is yours, add it to the API's issuers ({domains}). Otherwise get the token from one of the issuers that the API lists."
        KidMissing "kid_missing":
            "The token's header has no usable `kid`, and the issuer does not publish just one key that fits."
            "Send a token that the issuer signed. An issuer that sets no `kid` can publish only one key for each algorithm."
            @auth0 "Auth0 always sets `kid`."
        UnknownKid "unknown_kid":
            "The issuer's current key set has no key with this `kid`."
            "Get a new token. If the API refuses that one too, another issuer made it, or its key was revoked."
        UnusableKey "unusable_key":
            "The key is published, but it is weak, malformed, or not meant for this use."
            "Have the issuer rotate to a suitable key: RSA of at least 2048 bits for RS256, with `use` `sig`, and without private members."
        TokenInactive "token_inactive":
            "The issuer says that the opaque token is not active: it has expired, was revoked, or is not the issuer's."
            "Get a new token. If the API refuses that one too, check that it comes from the issuer that the API asks ({introspection})."
        SignatureInvalid "signature_invalid":
            "The published key did not make this signature over these bytes."
            "Send the token exactly as it was issued. If the client does that already, somebody else made the token: trust nothing in it."
    }

    Claims {
        IssuerMismatch "issuer_mismatch":
            "`iss` is not written exactly as `issuer` in the issuer's discovery document."
            "Have the issuer write its name the same way in both places, byte for byte, including a slash at the end and upper case."
        AudienceMissing "audience_missing":
            "`aud` is missing, or neither a string nor an array of strings."
            "Request the token for this API. For an issuer that never writes `aud`, configure the clients that the API accepts instead of an audience ({client_ids})."
            @auth0 "In Auth0, request the token with the API's identifier as `audience`."
        AudienceMismatch "audience_mismatch":
            "`aud` is a string, and not the API's audience. Both are compared byte for byte."
            "Request the token for this API, or set the API's audience ({audience}) to what the issuer writes. A slash at the end counts."
            @auth0 "In Auth0, that is the API's identifier: request the token with it as `audience`."
        AudienceNotListed "audience_not_listed":
            "`aud` is an array that does not contain the API's audience. They are compared byte for byte."
            "Request the token for this API, or set the API's audience ({audience}) to what the issuer writes. A slash at the end counts."
            @auth0 "In Auth0, that is the API's identifier: request the token with it as `audience`."
        AudienceUnexpected "audience_unexpected":
            "The token has an `aud`, and the API is configured by its clients instead of an audience."
            "If this API is named there, configure that name as the API's audience ({audience}). Otherwise the token is for another API."
        ClientNotAccepted "client_not_accepted":
            "`client_id`, or else `azp`, or else `cid`, is none of the clients that the API is configured for."
            "If the client is yours, add it to the API's clients ({client_ids}). Otherwise get the token with one of the clients that the API lists."
        NotAnAccessToken "not_an_access_token":
            "The token does not say that it is an access token (`token_use` `access`, `typ` `at+jwt`, or a scope claim), or it has `nonce`, `at_hash` or `c_hash`, as only ID tokens have."
            "Send the access token, not the ID token that came with it."
        ExpiryMissing "expiry_missing":
            "`exp` is missing, or not a number in range."
            "Send a token that expires: one without `exp` would be valid for ever."
        TokenExpired "token_expired":
            "The time in `exp` has passed."
            "Get a new token. If the API refuses new tokens too, the clocks disagree: set them by NTP, or allow for the difference ({leeway})."
        NotBeforeMalformed "not_before_malformed":
            "`nbf` is not a number in range."
            "Have the issuer write `nbf` as a number of seconds since 1970, or leave it out."
        TokenNotYetValid "token_not_yet_valid":
            "The time in `nbf` has not come yet."
            "Wait until then. If this happens with new tokens, the clocks disagree: set them by NTP, or allow for the difference ({leeway})."
        IssuedAtMissing "issued_at_missing":
            "`iat` is missing, or not a number in range."
            "Send an access token of the issuer: access tokens say when they were issued."
        SubjectMalformed "subject_malformed":
            "`sub` is not a string."
            "Have the issuer write `sub` as a string."
            @auth0 "In Auth0, look for an Action or Rule that changes it."
        RequiredClaimMissing "required_claim_missing":
            "The token lacks a claim that the API requires."
            "Have the issuer add the claim, or stop requiring it."
            @auth0 "In Auth0, an Action adds it with `api.accessToken.setCustomClaim`."
    }

    Binding {
        BoundTokenAsBearer "bound_token_as_bearer":
            "The token is bound to a key, but it was sent as Bearer."
            "Send the token with `Authorization: DPoP TOKEN` and a proof made with its key, or get a token that is not bound to a key. If no client of yours sent this, the token was stolen."
        ProofWithBearer "proof_with_bearer":
            "The request has a DPoP proof and a Bearer token."
            "Use the scheme `DPoP` with a bound token, or leave out the field `DPoP`."
        ConfirmationMalformed "confirmation_malformed":
            "`cnf` is not an object."
            "Have the issuer write `cnf` as RFC 7800 says."
            @auth0 "In Auth0, look for an Action or Rule that sets it."
        ConfirmationMissing "confirmation_missing":
            "The token came with a proof, but it is not bound to a key."
            "Send a proof to the token endpoint too, so that the token is bound. Or send this token as Bearer."
            @auth0 "In Auth0, see Token Sender-Constraining of the application and of the API."
        ConfirmationNotSupported "confirmation_not_supported":
            "`cnf` names a method that the API does not check, besides one that it does."
            "If that is the thumbprint of a certificate (`x5t#S256`), let the API compare certificates ({mtls}). Otherwise have the issuer bind this API's tokens by DPoP alone."
            @auth0 "In Auth0, that is Token Sender-Constraining in the API's settings."
        ThumbprintMissing "thumbprint_missing":
            "`cnf` has no `jkt`: the token is bound in a way that the API does not check, or by a certificate alone though it came with a proof."
            "If `cnf` has the thumbprint of a certificate (`x5t#S256`), let the API compare certificates ({mtls}), and send the token as Bearer. Otherwise have the issuer bind this API's tokens by DPoP, or not at all."
            @auth0 "In Auth0, that is Token Sender-Constraining in the API's settings."
        ThumbprintMalformed "thumbprint_malformed":
            "`cnf.jkt` or `cnf.x5t#S256` is not a string, or it is empty."
            "Have the issuer write the thumbprint there, as RFC 9449 section 6.1 and RFC 8705 section 3.1 say."
        ClientCertificateMissing "client_certificate_missing":
            "The token is bound to a certificate of the client, and the API knows of no certificate for this request."
            "Connect with the certificate that the token was requested with. If the client does that already, look at the server or proxy that ends TLS: it has to ask for a client certificate, and to pass it on to the API ({mtls})."
        ClientCertificateUnreadable "client_certificate_unreadable":
            "The token is bound to a certificate of the client, and the field that names the certificate cannot be read, is there twice, or names several."
            "Have the proxy write the configured field itself, with one certificate, in place of what the client sent, and remove the same name spelled with `_`."
        ClientCertificateMismatch "client_certificate_mismatch":
            "The client has shown another certificate than the one that the token is bound to."
            "Connect with the certificate that the token was requested with. A client with a new certificate needs a new token. If no client of yours sent this, the token was stolen."
        ConfirmationMismatch "confirmation_mismatch":
            "The proof was made with a different key than the one that the token is bound to."
            "Make the proof with the key that was used to request the token. A client that has made a new key since then needs a new token."
    }

    Proof {
        ProofTooLarge "proof_too_large":
            "The proof is longer than the limit, 16 KiB."
            "Put only the claims of RFC 9449 section 4.2 into a proof."
        ProofNotAJws "proof_not_a_jws":
            "The proof does not have three segments."
            "Send one signed JWT in the field `DPoP`, and nothing else."
        MalformedProofHeader "malformed_proof_header":
            "The proof's header cannot be read."
            "Write the header as strict JSON in base64url without padding."
        ProofCriticalHeader "proof_critical_header":
            "The proof's header asks for an extension (`crit`, `b64`)."
            "Leave out these members: Bearward supports no extension."
        ProofType "proof_type":
            "The proof's `typ` is not `dpop+jwt`."
            "Set `typ` in the proof's header to `dpop+jwt`."
        ProofAlgorithm "proof_algorithm":
            "The proof's `alg` is not one that the API accepts."
            "Sign the proof with ES256, or let the API accept this algorithm ({dpop_algorithms})."
        ProofKeyMissing "proof_key_missing":
            "The proof's header has no `jwk`, or `jwk` is not an object."
            "Put the public key into the proof's header as `jwk`."
        ProofKeyPrivate "proof_key_private":
            "`jwk` contains a private key: the client publishes its own secret."
            "Put only the public members into `jwk`. Make a new key as well: this one is no longer secret."
        ProofKeyType "proof_key_type":
            "`jwk` is not an EC key, and ES256 needs one."
            "Make an EC key on P-256, or set `alg` to an algorithm that fits the key."
        ProofKeyCurve "proof_key_curve":
            "`jwk` is not on the curve P-256, and ES256 needs that curve."
            "Make an EC key on P-256, or set `alg` to an algorithm that fits the key."
        ProofKeyUnusable "proof_key_unusable":
            "`jwk` is not a usable key."
            "Write the key's members as RFC 7518 section 6 says: base64url, without padding, of full length."
        MalformedProofSignature "malformed_proof_signature":
            "The proof's signature is not canonical base64url."
            "Write the signature in base64url without padding."
        ProofSignatureInvalid "proof_signature_invalid":
            "The key in the proof's header did not make the proof's signature."
            "Sign with the private half of `jwk`, over exactly the bytes that are sent. For ES256 the signature is R followed by S, not DER."
        MalformedProofPayload "malformed_proof_payload":
            "The proof's payload cannot be read."
            "Write the payload as strict JSON in base64url without padding."
        ProofClaimsMissing "proof_claims_missing":
            "The proof lacks required claims."
            "Put `jti`, `htm`, `htu`, `iat` and `ath` into each proof for an API."
        ProofIdentifierMalformed "proof_identifier_malformed":
            "The proof's `jti` is not a string."
            "Write a random string, and a new one for each proof."
        ProofIdentifierEmpty "proof_identifier_empty":
            "The proof's `jti` is empty."
            "Write a random string, and a new one for each proof."
        NonceMissing "nonce_missing":
            "The API requires a nonce, and the proof has none."
            "Send a new proof with the nonce from the response's field `DPoP-Nonce`."
        NonceRefused "nonce_refused":
            "This API did not issue the proof's nonce, or the nonce is too old."
            "Send a new proof with the nonce of the latest response. If this happens again and again, the API's workers do not share one nonce key ({dpop_nonce_key})."
        ProofIssuedAtMalformed "proof_issued_at_malformed":
            "The proof's `iat` is not a number in range."
            "Write `iat` as a number of seconds since 1970: not milliseconds, and not a string."
        ProofTooOld "proof_too_old":
            "The proof's `iat` lies too far in the past."
            "Make a new proof for each request, when it is sent. If the client does that already, its clock is behind."
        ProofFromFuture "proof_from_future":
            "The proof's `iat` lies too far in the future."
            "The clocks of the client and the API disagree: set them by NTP, or allow for the difference ({dpop_iat_leeway})."
        ProofExpired "proof_expired":
            "The proof has an `exp`, and that time has passed."
            "Make a new proof for each request. A proof needs no `exp`."
        ProofNotYetValid "proof_not_yet_valid":
            "The proof has an `nbf`, and that time has not come yet."
            "Leave `nbf` out of proofs, or set the clocks."
        ProofMethodMismatch "proof_method_mismatch":
            "The proof's `htm` is not the request's method."
            "Write the method exactly as it is sent, in upper case. Make a new proof for each request."
        ProofUrlMismatch "proof_url_mismatch":
            "The proof's `htu` is not the request's URL."
            "Write scheme, host, port and path as they are sent, without the query. Behind a proxy, configure the API with its public URL ({public_origin})."
        ProofTokenMismatch "proof_token_mismatch":
            "The proof's `ath` is not the hash of this access token."
            "Make the proof with the token that is sent: `ath` is base64url(SHA-256(token)) without padding. A renewed token has a different hash."
        ProofReplayed "proof_replayed":
            "The proof was used before."
            "Make a new proof for each request, and for each retry. If the client does that already, somebody recorded the proof."
    }

    Scope {
        InsufficientScope "insufficient_scope":
            "The token is valid, but does not grant all of the required scopes."
            "Ask for the missing scopes in `scope` when the token is requested, and have the issuer grant them."
            @auth0 "In Auth0, the API must define them, and the user or application must be granted them."
        NoneOfScopes "any_scope_missing":
            "The token is valid, but grants none of the scopes of which the route requires one."
            "Ask for one of these scopes in `scope` when the token is requested, and have the issuer grant it."
            @auth0 "In Auth0, the API must define it, and the user or application must be granted it."
        PermissionMissing "permission_missing":
            "The token is valid, but its claim `permissions` lacks a permission that the route requires."
            "Give the user or application the permission, and get a new token."
            @auth0 "In Auth0, switch on RBAC and \"Add Permissions in the Access Token\" in the API's settings."
        NoneOfPermissions "any_permission_missing":
            "The token is valid, but its claim `permissions` has none of the permissions of which the route requires one."
            "Give the user or application one of the permissions, and get a new token."
            @auth0 "In Auth0, switch on RBAC and \"Add Permissions in the Access Token\" in the API's settings."
        OrganizationNotAccepted "organization_not_accepted":
            "The token is valid, but the user did not log in to an organization that the route accepts."
            "Log in to an organization that the route accepts, and get a new token."
            @auth0 "In Auth0, log in with the parameter `organization`. If the route wants names, switch on \"Use Organization Names in Authentication API\" in the tenant's settings."
        ClaimNotAccepted "claim_not_accepted":
            "The token is valid, but a claim does not have a value that the route requires. The log names the claim."
            "Use a token of a user or application with the required value. Numbers, texts and truth values are different, and upper case counts."
        AuthenticationContextNotAccepted "authentication_context_not_accepted":
            "The token is valid, but the user logged in in another way than the route requires (`acr`)."
            "Send the user to log in again with the `acr_values` of the response (RFC 9470), and get a new token."
        AuthenticationTooOld "authentication_too_old":
            "The token is valid, but the user logged in too long ago, or the token does not say when (`auth_time`)."
            "Send the user to log in again with the `max_age` of the response (RFC 9470). Have the issuer put `auth_time` into access tokens."
        ClaimsUnusable "claims_unusable":
            "The token is valid, but its claims do not fit the type that the route asks for. The log names the member."
            "Have the issuer add the claims that the type requires, or make them optional in the type."
    }
}

catalogue! {
    /// Why a request can't be decided now.
    UNAVAILABLE of Unavailable:

    Undecided {
        Document "issuer_unavailable":
            "The issuer's discovery document or key set cannot be fetched, and there is no usable earlier copy. The log says which document it is, and why the last attempt failed."
            "Check whether the API's host reaches the issuer ({domain}): DNS, proxy, firewall, certificate authorities."
        Unsettled "issuer_unsettled":
            "A document of the issuer was still missing after several fetches: the issuer changes its documents faster than they can be read."
            "Ask the operator of the issuer why its documents change. Clients can try again."
        TooManyFetches "too_many_fetches":
            "Tokens that are not verified yet named so many issuers at once that their documents are not fetched, or were so many opaque tokens that the issuer is not asked about all of them."
            "Find out who sends such tokens. A resolver that accepts fewer issuers bounds how many can be named."
        ResolverTimeout "domains_resolver_timeout":
            "The application's function that names the accepted issuers took too long."
            "Let the function answer from memory, or give it more time ({resolver_timeout})."
        Introspection "introspection_unavailable":
            "The issuer cannot be asked what an opaque token says. The log says why: its introspection endpoint cannot be reached, does not accept the API's credentials (status 401 or 403), gives answers that are not RFC 7662's, or is not named in the discovery document."
            "Check the credentials and the endpoint ({introspection}), and whether the API's host reaches the endpoint."
        ReplayLogFull "replay_log_full":
            "This process has no more room for used DPoP proofs, and this client has sent more than its share of them."
            "Find out why one client sends so many requests. A store that several processes share can remember more ({dpop_replay})."
        ReplayStore "replay_store_unavailable":
            "The shared store of used proofs failed, or did not answer in time."
            "Repair the store. Until then, the API can accept proofs without this check ({on_store_error})."
    }
}

catalogue! {
    /// What is wrong with the function of the application that names the accepted issuers.
    RESOLVER_FAILURES of ResolverFailure:

    Resolver {
        Raised "domains_resolver_failed":
            "The application's function that names the accepted issuers raised an error."
            "Read the error in the log, and repair the function."
        Unusable "domains_resolver_answer_unusable":
            "The application's function that names the accepted issuers returned something that is not a list of issuers."
            "Let the function return a list with at least one domain."
    }
}

impl Rejection {
    /// Its name in `snake_case`: for logs, metrics and tests. Never changed once released.
    pub fn code(&self) -> &'static str {
        self.entry().code
    }
}

impl Cause {
    /// Its entry in the catalogue.
    pub fn entry(&self) -> &'static Entry {
        match self {
            Self::Rejected(rejection) => rejection.entry(),
            Self::Unavailable(unavailable) => unavailable.entry(),
            Self::Resolver(failure) => failure.entry(),
        }
    }

    /// Its name in `snake_case`, as [`Rejection::code`].
    pub fn code(&self) -> &'static str {
        self.entry().code
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::front_end::SETTINGS;
    use super::*;

    const FRONT_ENDS: [FrontEnd; 4] =
        [FrontEnd::Python, FrontEnd::Rust, FrontEnd::CommandLine, FrontEnd::Reference];

    fn all() -> impl Iterator<Item = &'static Entry> {
        let python = PYTHON_CODES.iter().map(|python| &python.entry);
        REJECTIONS.iter().chain(UNAVAILABLE).chain(RESOLVER_FAILURES).chain(python).chain(RUST_CODES)
    }

    #[test]
    fn every_code_is_unique_and_in_snake_case() {
        let codes: Vec<&str> = all().map(|entry| entry.code).collect();
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
        for code in codes {
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
        }
    }

    #[test]
    fn cause_and_remedy_are_sentences_that_fit_into_a_table() {
        for entry in all() {
            let neutral = FRONT_ENDS.map(|front_end| entry.neutral_remedy(front_end));
            assert!(!neutral.concat().contains("Auth0") && !entry.cause.contains("Auth0"), "{}", entry.code);
            let remedies = FRONT_ENDS.map(|front_end| entry.remedy(front_end)).into_iter().chain(neutral);
            let remedies: Vec<String> = remedies.collect();
            for text in remedies.iter().map(String::as_str).chain([entry.cause]) {
                assert!(text.ends_with('.') && !text.contains(['\n', '|']), "{}: {text}", entry.code);
            }
        }
    }

    #[test]
    fn every_setting_that_a_remedy_names_is_known_and_every_known_one_is_named() {
        let named: HashSet<&str> = all()
            .flat_map(|entry| entry.remedy.split('{').skip(1))
            .map(|behind| behind.split_once('}').expect("a closed brace").0)
            .collect();
        assert_eq!(named, SETTINGS.iter().map(|setting| setting.name).collect());
    }

    #[test]
    fn a_remedy_spells_its_settings_as_the_front_end_does() {
        let entry = Rejection::BearerNotAccepted.entry();
        for (front_end, setting) in [
            (FrontEnd::Python, "(`dpop_required=False`)"),
            (FrontEnd::Rust, "(`Dpop::Accepted`)"),
            (FrontEnd::Reference, "(Python: `dpop_required=False`; Rust: `Dpop::Accepted`)"),
            (
                FrontEnd::CommandLine,
                "(Python: `dpop_required=False`; Rust: `Dpop::Accepted`; `bearward explain`: `--dpop accepted`)",
            ),
        ] {
            let remedy = entry.remedy(front_end);
            assert!(remedy.ends_with(&format!("accept Bearer as well {setting}.")), "{remedy}");
        }
    }

    #[test]
    fn nothing_of_one_language_is_in_what_the_other_reads() {
        for entry in all() {
            assert!(!entry.cause.contains(['=', '{']) && !entry.cause.contains("::"), "{}", entry.code);
            assert!(!entry.remedy(FrontEnd::Python).contains("::"), "{}", entry.code);
            for setting in SETTINGS {
                assert!(!entry.remedy(FrontEnd::Rust).contains(setting.python), "{}", entry.code);
            }
        }
    }
}
