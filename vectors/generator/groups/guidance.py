"""Where clients find a token: what challenges say of the resource's metadata and of scopes."""

from __future__ import annotations

from typing import Any

from ..case import (
    ACCEPTED,
    DISCOVERY_URL,
    MISSING,
    OFF,
    REQUIRED,
    Group,
    bearer,
    documents,
    dpop,
    merged,
    token,
    unmet,
)
from ..proof import bound_token, proof

SPEC = "RFC 9728 section 5.1"
RESOURCE = "https://api.example.com/mcp"
METADATA = "https://api.example.com/.well-known/oauth-protected-resource/mcp"
MODES = {"off": OFF, "mixed": {}, "required": REQUIRED}


def group() -> Group:
    cases = Group("guidance", ACCEPTED)
    for profile, rfc in [("default", False), ("rfc", True)]:
        for mode, policy in MODES.items():
            _table(cases, f"{profile}_profile_{mode}", {**policy, "rfc_status_codes": rfc})
    _places(cases)
    return cases


def _guidance(*scopes: str, resource: str = RESOURCE, url: str = METADATA) -> dict[str, Any]:
    return {"resource": resource, "metadata_url": url, "scopes": list(scopes)}


def _table(cases: Group, prefix: str, policy: dict[str, Any]) -> None:
    mode = policy.get("dpop", "accepted")
    mode = mode if isinstance(mode, str) else "off"
    guidance = _guidance("read:things", "write:things")
    plain, bound = token(), bound_token()

    def refuse(name: str, code: Any, tok: Any, headers: list[list[str]], **more: Any) -> None:
        given = {"guidance": guidance, **more}
        cases.add(f"{prefix}_{name}", SPEC, tok, code, headers=headers, policy=policy, **given)

    refuse("no_credentials", "missing_authorization", None, [])
    refuse("no_scope_to_ask_for", "missing_authorization", None, [], guidance=_guidance())
    schemes: dict[str, tuple[Any, list[list[str]]]] = {}
    if mode != "required":
        schemes["bearer"] = (plain, bearer(plain))
        expired = token({"exp": 1})
        refuse("bearer_with_an_expired_token", "token_expired", expired, bearer(expired))
    if mode != "off":
        schemes["dpop"] = (bound, dpop(bound, proof(bound)))
        expired = bound_token({"exp": 1})
        refuse("dpop_with_an_expired_token", "token_expired", expired, dpop(expired, proof(expired)))
        bad = proof(bound, {"htm": "POST"})
        refuse("dpop_with_a_bad_proof", "proof_method_mismatch", bound, dpop(bound, bad))
    full = {**merged(cases.policy, policy), "guidance": guidance}
    for scheme, (tok, headers) in schemes.items():
        for name, code, requirement in [
            ("without_scope", "insufficient_scope", {"scopes": ["admin"]}),
            ("without_permission", "permission_missing", {"permissions": ["refund"]}),
            ("of_another_organization", "organization_not_accepted", {"organization": ["org_1"]}),
            ("without_login", "authentication_context_not_accepted", {"acr": ["mfa"], "max_age": 60}),
        ]:
            expect = unmet(code, requirement, full, scheme)
            refuse(f"{scheme}_{name}", expect, tok, headers, requirement=requirement)
        gone = documents(metadata=MISSING)
        refuse(f"{scheme}_without_keys_is_503", "unavailable", tok, headers, docs=gone, fetched=[DISCOVERY_URL])


def _places(cases: Group) -> None:
    """RFC 9728 section 3.1: the name of the document comes before the path of the resource."""
    known = "/.well-known/oauth-protected-resource"
    for name, resource, url in [
        ("no_path", "https://api.example.com", f"https://api.example.com{known}"),
        ("a_slash", "https://api.example.com/", f"https://api.example.com{known}"),
        ("a_long_path", "https://api.example.com/a/b", f"https://api.example.com{known}/a/b"),
        ("a_final_slash", "https://api.example.com/a/", f"https://api.example.com{known}/a/"),
        ("a_port", "https://api.example.com:8443/a", f"https://api.example.com:8443{known}/a"),
        ("http_on_loopback", "http://127.0.0.1:8000/mcp", f"http://127.0.0.1:8000{known}/mcp"),
    ]:
        guidance = _guidance("read:things", resource=resource, url=url)
        spec = "RFC 9728 section 3.1"
        cases.add(f"metadata_of_a_resource_with_{name}", spec, None, "missing_authorization", headers=[], guidance=guidance)
