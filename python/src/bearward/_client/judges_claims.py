"""What verified claims grant, and the answers to those that don't suffice."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional

from bearward import _native

if TYPE_CHECKING:
    from bearward.errors import BaseAuthError
    from bearward.options import ApiClientOptions
    from bearward.requirement import Requirement
    from bearward.resource import ProtectedResource


class JudgesClaims:
    """The methods of an `ApiClient` that are about verified claims. None of them verifies anything."""

    options: ApiClientOptions
    _engine: _native.Engine

    def guidance(
        self, scopes: Sequence[str] = (), resource: Optional[ProtectedResource] = None
    ) -> Optional[_native.Guidance]:
        """What challenges say besides the error; `None` without a resource. RFC 9728 section 5.1.

        Args:
            scopes: Those that a token needs for the request.
            resource: Instead of the one in the options.

        Raises:
            ConfigurationError: one of `scopes` is no scope.
        """
        described = self.options.resource if resource is None else resource
        return None if described is None else _native.Guidance(described._engines, list(scopes))

    def granted_scopes(self, claims: Mapping[str, Any]) -> list[str]:
        """All scopes that verified claims grant, with those that others imply. This does not verify the claims."""
        return self._engine.granted_scopes(_as_json(claims))

    def audience_of(self, claims: Mapping[str, Any]) -> Optional[str]:
        """Which of the audiences in the options verified claims are for; `None` if they are for `client_ids`.

        If `aud` has several of them, it is the first one in the options. This does not verify the claims.
        """
        return self._engine.audience_of(_as_json(claims))

    def unmet(
        self,
        claims: Mapping[str, Any],
        requirement: Requirement,
        authorization: Optional[str] = None,
        guidance: Optional[_native.Guidance] = None,
    ) -> Optional[BaseAuthError]:
        """The error, with its answer, for verified claims that don't meet a requirement; `None` if they do.

        RFC 6750 section 3.1, RFC 9470 section 3. This does not verify the claims.

        Args:
            claims: What `verify_request` has returned.
            requirement: What the resource requires.
            authorization: The request's Authorization field: the challenge is for the scheme that it uses.
            guidance: What the challenge says besides. By default it is that of the resource in the options.
        """
        unmet = requirement.unmet(claims, self.options.scope_claim)
        if unmet is None:
            return None
        said = self.guidance(requirement.scopes) if guidance is None else guidance
        if isinstance(unmet, str):
            return self._engine.unfit(unmet, authorization, said)
        return self._engine.unmet(*unmet, authorization, time.time(), said)

    def unfit(
        self, reason: str, authorization: Optional[str] = None, guidance: Optional[_native.Guidance] = None
    ) -> BaseAuthError:
        """The 401 for claims that don't fit the type that a route asks for.

        Args:
            reason: Facts for the log.
            authorization: The request's Authorization field: the challenge is for the scheme that it uses.
            guidance: What the challenge says besides. By default it is that of the resource in the options.
        """
        error = self._engine.unfit(None, authorization, self.guidance() if guidance is None else guidance)
        error.detail = reason
        return error


def _as_json(claims: Mapping[str, Any]) -> str:
    return json.dumps(claims, allow_nan=False)
