"""The engine, as Python sees it. Private: import from `bearward`, not from here."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Optional, Union, final

from bearward.errors import BaseAuthError

__version__: str

@final
class DocumentNeeded:
    """The engine can't decide before this document of the issuer has been fetched.

    Fetch `url`, hand the answer to `Engine.document_received` or say `Engine.document_failed`,
    then verify again from the start.
    """

    @property
    def issuer(self) -> str:
        """Whose it is: `https://host[:port]/`."""
    @property
    def past_caches(self) -> bool:
        """Whether it must come from the issuer itself: what any cache has is not new enough."""
    @property
    def url(self) -> str: ...
    @property
    def kind(self) -> Literal["discovery", "key_set"]: ...

@final
class ReplayCheckNeeded:
    """The request is good if its DPoP proof was not used before: ask the store the workers share.

    Remember `key` for `ttl_seconds` in one atomic step, then tell `Engine.settle` whether it was new.
    """

    @property
    def key(self) -> bytes: ...
    @property
    def ttl_seconds(self) -> float: ...

@final
class IssuerSet:
    """The issuers allowed for a request, as a resolver named them: bare hosts or https URLs. `ValueError` on others."""

    def __new__(cls, domains: Sequence[str]) -> IssuerSet: ...

@final
class IssuersNeeded:
    """Which issuers are allowed has to be said: ask the resolver, then verify again with `issuers`."""

    @property
    def unverified_iss(self) -> str:
        """The issuer the token names, in normal form. Not verified."""

@final
class RefreshDue:
    """A good request, and a document that is worth fetching in the background. No other caller was told."""

    @property
    def claims(self) -> dict[str, Any]: ...
    @property
    def document(self) -> DocumentNeeded: ...

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
        headers: Union[Sequence[tuple[bytes, bytes]], Mapping[str, str]],
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
        audience: str,
        issuers: Optional[Sequence[str]],
        single_issuer: bool,
        algorithms: Optional[Sequence[str]] = None,
        leeway: float = 0.0,
        cache_ttl: float = 600.0,
        rfc_status_codes: bool = False,
        dpop: Literal["off", "accepted", "required"] = "accepted",
        dpop_algorithms: Optional[Sequence[str]] = None,
        dpop_iat_offset: float = 300.0,
        dpop_iat_leeway: float = 30.0,
        dpop_replay: Literal["in_process", "shared", "off"] = "in_process",
        dpop_nonce_key: Optional[bytes] = None,
        dpop_nonce_lifetime: float = 300.0,
        issuers_kept: int = 100,
    ) -> Engine:
        """`issuers` `None`: a resolver says for each request which are allowed."""
    def verify_request(
        self,
        headers: Union[Sequence[tuple[bytes, bytes]], Mapping[str, str]],
        method: Optional[str],
        url: Optional[str],
        now: float,
        issuers: Optional[IssuerSet] = None,
    ) -> Union[dict[str, Any], DocumentNeeded, ReplayCheckNeeded, IssuersNeeded, RefreshDue]:
        """Claims of a good request, as a fresh dict; or what is needed to decide.

        `headers`: raw ASGI pairs (names in lower case), or a mapping with names in any case.
        Raises a `BaseAuthError` when the request is refused or can't be decided (503).
        """
    def verify_access_token(
        self, token: str, required_claims: Sequence[str], now: float, issuers: Optional[IssuerSet] = None
    ) -> Union[dict[str, Any], DocumentNeeded, IssuersNeeded, RefreshDue]:
        """The same for a bare access token, without regard to how it was presented."""
    def settle(self, needed: ReplayCheckNeeded, first: bool) -> Union[dict[str, Any], RefreshDue]:
        """End a verification with what the store said. Once only: a second call raises `RuntimeError`."""
    @staticmethod
    def replay_store_unavailable() -> BaseAuthError:
        """The 503 for a store that can't be reached."""
    def verify_dpop_proof(self, access_token: str, proof: str, method: str, url: str, now: float) -> dict[str, Any]:
        """Claims of a good DPoP proof.

        Not checked: the token, its binding to the key, whether the proof was used before.
        """
    def fresh_nonce(
        self, headers: Union[Sequence[tuple[bytes, bytes]], Mapping[str, str]], now: float
    ) -> Optional[str]:
        """A `DPoP-Nonce` for the answer to a verified request, if nonces are on and the one it used is ageing."""
    def document_received(
        self, needed: DocumentNeeded, body: bytes, cache_control: Optional[str], now: float
    ) -> Optional[str]:
        """Hand in a fetched document. `None` if it was usable and is kept, otherwise why it is not, for the log."""
    def document_from_cache(self, needed: DocumentNeeded, body: bytes, now: float) -> Optional[str]:
        """The same for a document out of a cache that processes share; what is not usable counts as a miss."""
    def document_failed(self, needed: DocumentNeeded, now: float, retry_after: Optional[float] = None) -> None:
        """Say that the fetch failed: with nothing kept, requests get 503 until the next try is due.

        `retry_after`: seconds the server asked for.
        """
    def token_endpoint(self, issuer: str, now: float) -> Union[TokenEndpoint, DocumentNeeded]:
        """Where `issuer` gives tokens, from the discovery document kept for verification.

        Raises an `IssuerUnavailableError` if the document can't be had now.
        """
    def fresh_for(self, cache_control: Optional[str]) -> float:
        """For how many seconds a document with this `Cache-Control` is used before it is fetched again."""
    def status(self, now: float) -> list[dict[str, Any]]:
        """Per issuer: `issuer`, `discovery` and `key_set` (age, last_error, next_fetch_in, fetched, failed), `keys`."""
    def insufficient_scope(self, required: Sequence[str], authorization: Optional[str]) -> BaseAuthError:
        """The 403 for a good token that lacks scopes. `authorization`: the request's field, for the scheme in use."""

@final
class TokenEndpoint:
    """Where an issuer gives tokens."""

    @property
    def url(self) -> Optional[str]:
        """`None`: its discovery document names none that can be used."""
    @property
    def refresh_due(self) -> Optional[DocumentNeeded]:
        """The discovery document, if it is worth fetching in the background. No other caller was told."""

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

def normalize_issuer(domain: str) -> str:
    """`https://host[:port]/` of a bare host or https URL. `ValueError` if it is neither."""

def scope_grants(scope: str, required: Sequence[str]) -> bool:
    """Whether the space-separated `scope` holds all of `required`. RFC 6749 section 3.3."""
