"""A proof by itself, without a look at its access token; among them those that RFC 9449 prints."""

from __future__ import annotations

from typing import Any

from ..case import ACCEPTED, AUDIENCE, Group, Proof, dpop, rejected
from ..proof import THIEF, bound_token, payload, proof
from .dpop_nonce import WANTED

# RFC 9449 sections 4.1, 5 and 7.1, signed by the key of the example there.
HEADER = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs"
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
AT_TOKEN_ENDPOINT = (
    ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwi"
    "aWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
AT_TOKEN_ENDPOINT_AGAIN = (
    ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwi"
    "aWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroapUA"
)
AT_RESOURCE = (
    ".eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0"
    "ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9"
    ".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RESOURCE = "https://resource.example.org/protectedresource"
CLAIMS = {
    "jti": "e1j3V_bKic8-LAEB",
    "htm": "GET",
    "htu": RESOURCE,
    "iat": 1562262618,
    "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
}


def group() -> Group:
    cases = Group("dpop_alone", ACCEPTED)
    _of_the_rfc(cases)
    tok = bound_token()

    def add(name: str, expect: Any, own: Proof, policy: dict[str, Any] | None = None, **more: Any) -> None:
        cases.add(
            name, "RFC 9449 section 4.3", tok, expect, proof=own, policy=policy, fetched=[], proof_alone=True, **more
        )

    good = {"outcome": "verified", "claims": payload(tok)}
    add("proof_is_verified_without_a_look_at_its_token", good, proof(tok))
    add("binding_is_not_looked_at", good, proof(tok, key=THIEF))
    add("proof_is_verified_where_dpop_is_off", good, proof(tok), {"dpop": "off"})
    add("proof_for_another_url_is_rejected", "proof_url_mismatch", proof(tok), url=f"{AUDIENCE}/else")
    add("proof_that_is_no_jws_is_rejected", "proof_not_a_jws", Proof("x", {"note": "one segment", "signature": None}))
    add("missing_nonce_is_asked_for", "nonce_missing", proof(tok), WANTED)
    return cases


def _of_the_rfc(cases: Group) -> None:
    def add(name: str, expect: Any, rest: str, now: float, url: str, method: str, alone: bool = True) -> None:
        printed = Proof(HEADER + rest, {"note": "printed in RFC 9449", "signature": None})
        cases.add(
            name,
            "RFC 9449 sections 4.1, 5 and 7.1",
            None,
            expect,
            proof=printed,
            headers=dpop(TOKEN, printed),
            method=method,
            url=url,
            now=now,
            fetched=[],
            proof_alone=alone,
        )

    text = "Missing required claim: ath"
    missing = rejected("proof_claims_missing", text, cases.policy, "dpop")
    server = "https://server.example.com/token"
    add("proof_of_rfc_for_a_token_is_no_proof_for_a_resource", missing, AT_TOKEN_ENDPOINT, 1562262616, server, "POST")
    add(
        "proof_of_rfc_for_a_refresh_is_no_proof_for_a_resource",
        missing,
        AT_TOKEN_ENDPOINT_AGAIN,
        1562265296,
        server,
        "POST",
    )
    good = {"outcome": "verified", "claims": CLAIMS}
    made = 1562262618
    add("proof_of_rfc_for_a_resource_is_verified", good, AT_RESOURCE, made, RESOURCE, "GET")
    add("proof_of_rfc_is_too_old_today", "proof_too_old", AT_RESOURCE, 1800000000, RESOURCE, "GET")
    add("proof_of_rfc_for_another_method_is_rejected", "proof_method_mismatch", AT_RESOURCE, made, RESOURCE, "PUT")
    add("proof_of_rfc_for_another_url_is_rejected", "proof_url_mismatch", AT_RESOURCE, made, f"{RESOURCE}/1", "GET")
    # The access token of the example is an opaque one, although it has two dots.
    add("request_of_rfc_is_rejected_for_its_token", "malformed_header", AT_RESOURCE, made, RESOURCE, "GET", alone=False)
