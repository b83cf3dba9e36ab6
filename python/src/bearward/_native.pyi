"""The engine, as Python sees it. Private: import from `bearward`, not from here."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Optional, Union, final

from bearward.errors import BaseAuthError, DomainsResolverError

__version__: str

_Headers = Union[Sequence[tuple[bytes, bytes]], Mapping[str, str]]
"""Raw ASGI pairs, or a mapping with names in any case."""

@final
class DocumentNeeded:
    """A document of an issuer that has to be fetched: hand the response to `Documents`."""

    @property
    def issuer(self) -> str:
        """Whose it is: `https://host[:port]/`."""
    @property
    def wait_at_most(self) -> Optional[float]:
        """How long a request should wait for it, seconds, if an older one is kept that can be used instead."""
    @property
    def past_caches(self) -> bool:
        """Whether it must come from the issuer itself: what any cache has is not new enough."""
    @property
    def url(self) -> str: ...
    @property
    def kind(self) -> Literal["discovery", "key_set"]: ...

@final
class IntrospectionNeeded:
    """A question to the issuer about an opaque token: hand the response to `Engine.introspected`."""

    @property
    def url(self) -> str: ...
    @property
    def issuer(self) -> str: ...
    @property
    def key(self) -> bytes:
        """The same for all questions about one token. Says nothing about it."""
    def form(self) -> list[tuple[str, str]]:
        """The fields to POST. One is the token."""

@final
class Documents:
    """What is kept of issuers' documents. Several engines may share it. Safe from many threads."""

    def answered(
        self, needed: DocumentNeeded, status: int, fields: Sequence[tuple[str, str]], body: bytes, now: float
    ) -> tuple[Optional[str], float]:
        """Hand in the response to a fetch.

        Returns why it can't be used, for the log, or `None`; and for how many seconds the document is used.
        """
    def found_in_cache(self, needed: DocumentNeeded, body: bytes, now: float) -> Optional[str]:
        """Hand in a document out of a cache that processes share. What is not usable counts as a miss."""
    def unreachable(self, needed: DocumentNeeded, now: float) -> None:
        """Say that the fetch brought no response."""
    def status(self, now: float) -> list[dict[str, Any]]:
        """Per issuer: `issuer`, `discovery` and `key_set` (age, last_error, next_fetch_in, fetched, failed), `keys`."""
    def missing(self, issuer: str, now: float, exact: bool = False) -> Optional[DocumentNeeded]:
        """What has to be fetched before tokens of an issuer can be judged; `None` if nothing can be."""
    def is_ready(self, issuer: str, now: float, exact: bool = False) -> bool:
        """Whether tokens of an issuer can be judged now."""
    def token_endpoint(self, issuer: str) -> TokenEndpointSearch:
        """Begin to look for the place where `issuer` gives tokens."""

@final
class Decision:
    """A decision that needs something from outside. Call `next` until it gives `Passed`."""

    def next(self, now: float) -> Union[DocumentNeeded, IntrospectionNeeded, ResolveIssuers, CheckReplay, Passed]:
        """What to bring next, or the outcome. Raises a `BaseAuthError` when the request is not let in."""
    def issuers(self, issuers: IssuerSet) -> None:
        """The resolver named these issuers."""
    def waited(self, needed: DocumentNeeded) -> None:
        """The request doesn't wait any longer for this document: it gets the older one, or stays undecided."""
    def gave_up_introspection(self) -> None:
        """The request doesn't wait any longer for the answer about its token."""
    def sighting(self, is_new: Optional[bool]) -> None:
        """What the shared store said of the proof; `None`: it can't say."""

@final
class Passed:
    """A request that is let in: its token, and what to do besides."""

    def claims(self) -> dict[str, Any]:
        """The token's claims, as a dict of the caller's own: nothing in it is another caller's."""
    def claims_if_all(self) -> Optional[dict[str, Any]]:
        """The same, if nothing else is to be said: `unmet`, `refresh` and `dpop_nonce` are `None`."""
    @property
    def issuer(self) -> str: ...
    @property
    def is_bound(self) -> bool:
        """Whether the token has the claim `cnf`."""
    @property
    def dpop_nonce(self) -> Optional[str]:
        """The value of `DPoP-Nonce` in the answer, where one is due."""
    @property
    def refresh(self) -> Optional[DocumentNeeded]:
        """A document to fetch in the background. No other request was asked to."""
    @property
    def unmet(self) -> Optional[BaseAuthError]:
        """Why the token doesn't meet the requirement that was asked with, with the answer."""
    def unmet_by(
        self, requirement: Requirement, now: float, guidance: Optional[Guidance] = None
    ) -> Optional[BaseAuthError]:
        """The same for another requirement. `guidance`: for its challenge."""
    def answers(self, headers: _Headers, method: str, url: str) -> bool:
        """Whether this is the answer to a request with these fields, this method and this URL.

        Method and URL count if they were asked with.
        """
    def has_credentials_of(self, headers: _Headers) -> bool:
        """Whether a request with these fields has the credentials of the one that was let in."""

@final
class ResolveIssuers:
    """Ask the resolver which issuers are accepted, and hand its answer to `Decision.issuers`."""

    @property
    def unverified_iss(self) -> str:
        """The issuer the token names, in normal form. Not verified."""

@final
class CheckReplay:
    """Have the shared store remember `key` for `ttl_seconds` in one atomic step, and tell `Decision.sighting`."""

    @property
    def key(self) -> bytes: ...
    @property
    def ttl_seconds(self) -> float: ...
    @property
    def usable_since(self) -> int:
        """Unix time before which the proof can't have been used."""

@final
class IssuerSet:
    """The issuers that a resolver named for a request: bare hosts or https URLs. `ValueError` on others."""

    def __new__(cls, domains: Sequence[str]) -> IssuerSet: ...

@final
class PublicUrl:
    """How the URL a client used is found.

    `origin`: configured; `trusted_hops` > 0: by what proxies wrote; else by Host.

    Raises `bearward.errors.ConfigurationError` when `origin` is not `https://host[:port]` (or http).
    """

    def __new__(cls, *, origin: Optional[str] = None, trusted_hops: int = 0) -> PublicUrl: ...
    def of(
        self,
        scheme: str,
        headers: _Headers,
        raw_path: bytes,
        root_path: str,
        query: bytes,
        server: str,
    ) -> str:
        """The URL, from the parts of an ASGI scope. `server`: host[:port] for a request without Host field."""

@final
class Engine:
    """Policy, keys and verification. Reads no clock: `now` is Unix time in seconds. Safe from many threads.

    Raises `bearward.errors.ConfigurationError` when the configuration can't be used.
    """

    def __new__(
        cls,
        *,
        issuers: Optional[Sequence[str]],
        single_issuer: bool,
        audience: Optional[Union[str, Sequence[str]]] = None,
        client_ids: Optional[Sequence[str]] = None,
        exact_issuers: bool = False,
        scope_claim: Optional[Union[str, Sequence[str]]] = None,
        implies: Optional[Mapping[str, Sequence[str]]] = None,
        allow_private_jwks: bool = False,
        jwks_uri: Optional[str] = None,
        jwks: Optional[str] = None,
        algorithms: Optional[Sequence[str]] = None,
        leeway: float = 0.0,
        cache_ttl: float = 600.0,
        rfc_status_codes: bool = False,
        dpop: Literal["off", "accepted", "required"] = "accepted",
        dpop_algorithms: Optional[Sequence[str]] = None,
        dpop_iat_offset: float = 300.0,
        dpop_iat_leeway: float = 30.0,
        dpop_replay: Literal["in_process", "shared", "off"] = "in_process",
        dpop_nonce_keys: Optional[list[bytes]] = None,
        dpop_nonce_lifetime: float = 300.0,
        issuers_kept: int = 100,
        tokens_remembered: int = 10_000,
        mtls: Optional[str] = None,
        decryption_keys: Optional[Sequence[tuple[Optional[str], str]]] = None,
        introspection_seconds: Optional[float] = None,
        introspection_endpoint: Optional[str] = None,
        documents: Optional[Documents] = None,
    ) -> Engine:
        """`issuers` `None`: a resolver says for each request which are accepted. `documents`: another engine's.

        `exact_issuers`: they are as tokens spell them. `jwks`: the text of a key set. `mtls`: where the certificate of
        a client is, `"connection"` or the name of a header. `decryption_keys`: each with its `kid`, if it has one, and
        its PEM. `introspection_seconds`: the one issuer is asked about opaque tokens, and answers are used so long.
        """
    @property
    def documents(self) -> Documents: ...
    @property
    def replay_entries(self) -> int:
        """How many used proofs this process remembers."""
    def verify_request(
        self,
        headers: _Headers,
        method: Optional[str],
        url: Optional[str],
        now: float,
        guidance: Optional[Guidance] = None,
        certificate: Optional[Union[str, bytes]] = None,
        behind_proxy: bool = False,
        requirement: Optional[Requirement] = None,
    ) -> Union[Passed, Decision, None]:
        """A request that is let in, or a decision that has to go on.

        `None`: the request has a proof, and the method or the URL that it is compared with is not given. `requirement`:
        see `Passed.unmet`.

        Raises a `BaseAuthError` when the request is refused or can't be decided (503).
        """
    def verify_fields(
        self, headers: _Headers, now: float, guidance: Optional[Guidance], requirement: Optional[Requirement]
    ) -> Union[Passed, Decision, None]:
        """As `verify_request`, for a request of which only the header fields are known yet."""
    def claims_of_request(
        self,
        headers: _Headers,
        method: Optional[str],
        url: Optional[str],
        now: float,
        guidance: Optional[Guidance] = None,
    ) -> Union[dict[str, Any], Passed, Decision, None]:
        """The claims, as of `Passed`, of a request that is let in with no document to fetch in the background.

        Or else as `verify_request`.
        """
    def introspected(
        self,
        needed: IntrospectionNeeded,
        status: int,
        fields: Sequence[tuple[str, str]],
        body: bytes,
        now: float,
    ) -> Optional[str]:
        """Hand in the response to a question. Returns why it can't be used, for the log, or `None`."""
    def introspection_failed(self, needed: IntrospectionNeeded, now: float) -> None:
        """Say that a question brought no response."""
    def verify_access_token(self, token: str, required_claims: Sequence[str], now: float) -> Union[Passed, Decision]:
        """The same for a bare access token, without regard to how it was presented."""
    def verify_dpop_proof(self, access_token: str, proof: str, method: str, url: str, now: float) -> dict[str, Any]:
        """Claims of a good DPoP proof.

        Not checked: the token, its binding to the key, whether the proof was used before.
        """
    def unmet(
        self,
        requirement: Requirement,
        claims: str,
        authorization: Optional[str],
        now: float,
        guidance: Optional[Guidance] = None,
    ) -> Optional[BaseAuthError]:
        """The error for claims, as JSON, that were verified before and don't meet a requirement; `None` if they do.

        `authorization`: the request's field, for the scheme in use. Raises `ValueError` if they are no claims.
        """
    def unfit(
        self, claim: Optional[str], authorization: Optional[str], guidance: Optional[Guidance] = None
    ) -> BaseAuthError:
        """The error for claims that a check outside of the engine refused.

        `claim`: the one that it looked at; `None`: the claims don't fit a type.
        """
    def granted_scopes(self, claims: str) -> list[str]:
        """All scopes that verified claims, as JSON, grant, each once, with those that others imply."""
    def audience_of(self, claims: str) -> Optional[str]:
        """Which of the accepted audiences verified claims, as JSON, are for; `None` if clients are accepted."""
    def resource_document(self, resource: ProtectedResource) -> ResourceDocument:
        """Begin to make the metadata document of a resource.

        Raises `bearward.errors.ConfigurationError` if nobody names an authorization server.
        """

@final
class ProtectedResource:
    """A protected resource. RFC 9728. Raises `bearward.errors.ConfigurationError` for what can't be published."""

    def __new__(
        cls,
        resource: str,
        *,
        authorization_servers: Sequence[str] = ...,
        scopes_supported: Sequence[str] = ...,
        resource_name: Optional[str] = None,
        documentation: Optional[str] = None,
        policy_uri: Optional[str] = None,
        tos_uri: Optional[str] = None,
    ) -> ProtectedResource: ...
    @property
    def resource(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def metadata_url(self) -> str:
        """Where clients look for the document. RFC 9728 section 3.1."""
    @property
    def metadata_paths(self) -> list[str]:
        """The path of that URL, and the one without the path of the resource."""

@final
class Guidance:
    """What challenges say besides the error: where the metadata of a resource is, and which scopes to ask for.

    Raises `bearward.errors.ConfigurationError` for what is no scope.
    """

    def __new__(cls, resource: ProtectedResource, scopes: Sequence[str]) -> Guidance: ...

@final
class ResourceDocument:
    """The making of a metadata document."""

    def waited(self) -> None:
        """The caller doesn't wait any longer."""
    def next(self, now: float) -> Union[DocumentNeeded, str]:
        """The document to fetch first, or the JSON text. Raises an `IssuerUnavailableError` if it isn't known now."""

@final
class Operations:
    """The scopes that operations in JSON-RPC bodies need.

    By method: a list of scopes; or, for `tools/call` and `prompts/get`, such a list by name. Raises
    `bearward.errors.ConfigurationError` for other methods with names.
    """

    BYTES_AT_MOST: int
    def __new__(cls, methods: Mapping[str, Union[Sequence[str], Mapping[str, Sequence[str]]]]) -> Operations: ...
    def scopes_of(self, body: bytes) -> list[str]:
        """The scopes that a body needs. Raises `bearward.errors.OperationError` if that can't be said."""

@final
class Requirement:
    """What a resource requires of a good token. What is left out is not required.

    `claims`: JSON, an object. Raises `bearward.errors.ConfigurationError` for what can't be required.
    """

    def __new__(
        cls,
        *,
        scopes: Sequence[str] = ...,
        any_scope: Optional[Sequence[str]] = None,
        permissions: Sequence[str] = ...,
        any_permission: Optional[Sequence[str]] = None,
        organizations: Optional[Sequence[str]] = None,
        claims: Optional[str] = None,
        acr: Optional[Sequence[str]] = None,
        max_age: Optional[float] = None,
    ) -> Requirement: ...

@final
class TokenEndpointSearch:
    """The search for the place where an issuer gives tokens."""

    def waited(self, needed: DocumentNeeded) -> None:
        """The caller doesn't wait any longer for this document."""
    def next(self, now: float) -> Union[DocumentNeeded, TokenEndpoint]:
        """The document to fetch first, or the endpoint. Raises an `IssuerUnavailableError` if it can't be known now."""

@final
class TokenEndpoint:
    """Where an issuer gives tokens."""

    @property
    def url(self) -> Optional[str]:
        """`None`: its discovery document names none that can be used."""
    @property
    def refresh(self) -> Optional[DocumentNeeded]:
        """The discovery document, if it is worth fetching in the background. No other caller was asked to."""

@final
class Exchange:
    """One token for another: what to post to the token endpoint, and how to read its answer. RFC 8693.

    All three raise `MissingRequiredArgumentError` or `GetTokenByExchangeProfileError` for what can't be asked for.
    """

    @staticmethod
    def vault(connection: str, access_token: str, login_hint: Optional[str], client_id: str) -> Exchange: ...
    @staticmethod
    def profile(
        subject_token: str,
        subject_token_type: str,
        audience: Optional[str],
        scope: Optional[str],
        requested_token_type: Optional[str],
        extra: Sequence[tuple[str, Sequence[str]]],
    ) -> Exchange: ...
    @staticmethod
    def on_behalf_of(access_token: str, audience: str, scope: Optional[str]) -> Exchange: ...
    @property
    def form(self) -> list[tuple[str, str]]:
        """Fields to post, without the client's credentials. Holds the subject token."""
    @property
    def key(self) -> Optional[bytes]:
        """Equal for exchanges that ask for the same, the subject token included. `None`: nobody else may have it."""
    def read(
        self, status: int, content_type: Optional[str], body: bytes, secrets: Sequence[str], now: float
    ) -> Granted:
        """The token that the answer grants. Raises `ApiError` if none; `secrets` are cut out of what it says."""

@final
class Granted:
    """A token that was granted."""

    @property
    def is_personal(self) -> bool:
        """Whether nobody but who asked first may have it: there is a refresh token with it."""
    def result(self) -> dict[str, Any]:
        """As a caller is given it who waited for it: a dict of its own."""

@final
class TokenMemory:
    """Granted tokens, bounded, kept until shortly before they end."""

    def __new__(cls) -> TokenMemory: ...
    def find(self, exchange: Exchange, now: float) -> Optional[dict[str, Any]]:
        """What was granted to the same exchange before, as a fresh dict."""
    def keep(self, exchange: Exchange, granted: Granted, now: float) -> None:
        """Keep it, unless it is nobody else's business or not worth it."""

@final
class ClientAssertion:
    """A client's proof of who it is, to be signed: `private_key_jwt`. RFC 7523 section 3."""

    def __new__(
        cls,
        client_id: str,
        audience: str,
        algorithm: Literal["RS256", "RS384", "PS256"],
        jti: str,
        now: float,
    ) -> ClientAssertion: ...
    @property
    def signing_input(self) -> bytes: ...
    def fields(self, signature: bytes) -> list[tuple[str, str]]:
        """The form fields that carry it, with the signature over `signing_input`."""

def check_issuer(issuer: str) -> None:
    """Raise `ValueError` if this can't be the URL of an issuer, exactly as its tokens spell it."""

def is_plain_http(issuer: str) -> bool:
    """Whether requests to this issuer go without TLS. Only this machine can be such an issuer."""

def normalize_issuer(domain: str) -> str:
    """`https://host[:port]/` of a bare host or https URL. `ValueError` if it is neither."""

def has_credentials(headers: _Headers) -> bool:
    """Whether a request has credentials of any kind, good or bad."""

def scope_grants(scope: str, required: Sequence[str]) -> bool:
    """Whether the space-separated `scope` holds all of `required`. RFC 6749 section 3.3."""

def resolver_error(
    failure: Literal["timeout", "raised", "not_a_list", "empty", "not_texts", "no_issuer"], detail: str
) -> DomainsResolverError:
    """The error for a resolver of issuers that failed. `detail`: what is known of it, for the log."""
