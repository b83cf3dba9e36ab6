"""Makes DPoP proofs, valid ones by default. RFC 9449 section 4.2."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import Any, Optional

from joserfc import jws
from joserfc.jwk import ECKey


class Prover:
    """A client with its own P-256 key."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256")

    @property
    def thumbprint(self) -> str:
        """The value of `cnf.jkt` in a token that is bound to the key. RFC 7638."""
        return self._key.thumbprint()

    def proof(self, url: str, token: Optional[str] = None, method: str = "GET", *, age: int = 0) -> str:
        """A proof for a request with `token`, or (without one) for the token endpoint. It is `age` seconds old."""
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._key.as_dict(private=False)}
        claims: dict[str, Any] = {
            "jti": str(uuid.uuid4()),
            "htm": method,
            "htu": url,
            "iat": int(time.time()) - age,
        }
        if token is not None:
            claims["ath"] = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")
        return jws.serialize_compact(header, json.dumps(claims), self._key)
