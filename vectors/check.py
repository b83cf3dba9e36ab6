"""Checks the labels of the vectors with another implementation of JOSE. Needs `joserfc`.

    python vectors/check.py

- Every signature labelled `"valid": true` is good for joserfc over the bytes as they stand, every other one is not.
- Every token that has to be verified is accepted by joserfc, with the key sets of its case, and gives the same claims.
- Every request in the DPoP scheme that has to be let in has a proof that holds by RFC 9449 as written down a
  second time in `check_proof.py`; and where the proof is what a request is refused for, it doesn't hold there either.
"""

from __future__ import annotations

import base64
import hmac
import json
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import cases
import check_proof
from check_jwe import opened
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.registry import Header

HERE = Path(__file__).resolve().parent
# What joserfc refuses and RFC 7515 does not; with the reason.
STRICTER = {"header/mistyped_keys_in_header_are_ignored": "checks the types of members that it doesn't use"}
# Proofs that hold here although they have to be refused; with the reason.
LAXER = {
    "dpop_proof/header_nested_too_deep_is_rejected": "counts no levels",
    "dpop_proof/payload_nested_too_deep_is_rejected": "counts no levels",
}
ED25519 = {"EdDSA", "Ed25519"}
KEY_TYPES: dict[str, Any] = {"rsa": RSAKey, "ec": ECKey, "ed": OKPKey}


def main() -> int:
    warnings.simplefilter("ignore", SecurityWarning)
    faults = []
    counts = {"signatures": 0, "verified tokens": 0, "good proofs": 0, "bad proofs": 0}
    for name, case in cases.all_cases().items():
        for part, field in [("token", "authorization"), ("proof", "dpop")]:
            label = case.get(part, {}).get("signature")
            if label:
                counts["signatures"] += 1
                if signature_is_valid(compact_of(case, field), label) != label["valid"]:
                    faults.append(f"{name}: the label of the {part}'s signature is wrong")
        if case["expect"]["outcome"] == "verified" and "proof_alone" not in case:
            counts["verified tokens"] += 1
            problem = verification_problem(case)
            if (problem is not None) != (name in STRICTER):
                faults.append(f"{name}: {problem or 'is verified, against the list'}")
        if check_proof.applies_to(case):
            good = check_proof.lets_in(case)
            counts["good proofs" if good else "bad proofs"] += 1
            problem = check_proof.problem(case)
            if (problem is None) != (good or name in LAXER):
                faults.append(f"{name}: the proof: {problem or 'it holds'}")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(", ".join(f"{count} {what}" for what, count in counts.items()), "checked")
    return 1 if faults else 0


def compact_of(step: dict[str, Any], field: str = "authorization") -> str:
    value = next(value for name, value in step["request"]["headers"] if name.lower() == field)
    compact = value.split(maxsplit=1)[1] if field == "authorization" else value
    return str(compact.strip(" \t"))


def signature_is_valid(compact: str, label: dict[str, Any]) -> bool:
    """Over the received bytes, whatever they mean: this also covers headers and payloads that are not JSON.
    The key is the label's, not the one that the token's `kid` names."""
    message, _, signature = compact.rpartition(".")
    if "secret" in label:
        # joserfc takes no public key as a secret, which is what these tokens are about.
        digest = hmac.digest(decoded(label["secret"]), message.encode(), f"sha{label['alg'][2:]}")
        return digest == decoded(signature)
    try:
        algorithm = jws.JWSRegistry.algorithms[label["alg"]]
        return bool(algorithm.verify(message.encode(), decoded(signature), private_key(label["key"])))
    except (JoseError, ValueError):
        return False


@cache
def private_key(name: str) -> Any:
    owned = name.removeprefix("attacker-").removeprefix("client-")
    kind = next(kind for prefix, kind in KEY_TYPES.items() if owned.startswith(prefix))
    return kind.import_key((HERE / "keys" / f"{name}.pem").read_bytes())


def verification_problem(case: dict[str, Any]) -> str | None:
    keys = [key for document in served(case) for key in document.get("keys", ()) if isinstance(key, dict)]
    try:
        compact = opened(compact_of(case), case["policy"])
    except ValueError as error:
        return str(error)
    # Two names of one algorithm: RFC 9864. For joserfc they are two.
    names = set(case["policy"]["algorithms"])
    algorithms = sorted(names | ED25519 if names & ED25519 else names)
    header: Header = json.loads(decoded(compact.split(".")[0]))
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = 16 * 1024
    named = [key for key in keys if key.get("kid") and key["kid"] == header.get("kid")]
    # Without a `kid`, in the token or in the keys, the only key that fits is used: the signature shows which one does.
    for key in named or [key for key in keys if not (key.get("kid") and header.get("kid"))]:
        try:
            imported = KeySet.import_key_set({"keys": [_respelled(key)]}).keys[0]
            payload = jws.deserialize_compact(compact, imported, registry=registry).payload
        except (JoseError, ValueError):
            continue
        return None if json.loads(payload) == case["expect"]["claims"] else "the claims differ"
    return "no key of the case verifies it"


def _respelled(key: dict[str, Any]) -> dict[str, Any]:
    """The key in the spelling of RFC 7518: issuers pad, write leading zeros, and give members that say nothing."""
    members = {name: value for name, value in key.items() if not (name in {"kid", "use", "alg"} and not value)}
    if members.get("alg") in ED25519:
        del members["alg"]
    for name in ("n", "e"):
        if isinstance(members.get(name), str):
            text = members[name].rstrip("=").replace("+", "-").replace("/", "_")
            number = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).lstrip(b"\0")
            members[name] = base64.urlsafe_b64encode(number).decode().rstrip("=")
    return members


def served(case: dict[str, Any]) -> list[dict[str, Any]]:
    """All versions of all documents of the case that are JSON objects."""
    # Keys that are configured count as served.
    documents = [json.loads(case["policy"]["jwks"])] if "jwks" in case["policy"] else []
    for version in case["documents"].values():
        while version:
            text = version.get("raw")
            if "file" in version:
                text = cases.document(version["file"]).decode()
            document = version.get("json") if text is None else parsed(text.removeprefix("\ufeff"))
            if isinstance(document, dict):
                documents.append(document)
            version = version.get("then")
    return documents


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


if __name__ == "__main__":
    sys.exit(main())
