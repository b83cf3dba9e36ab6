"""Checks the labels of the vectors with another implementation of JOSE. Needs `joserfc`.

    python vectors/check.py

- Every signature labelled `"valid": true` is good for joserfc over the bytes as they stand, every other one is not.
- Every token that has to be verified is accepted by joserfc, with the key sets of its case, and gives the same claims.
"""

from __future__ import annotations

import base64
import json
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey
from joserfc.registry import Header

HERE = Path(__file__).resolve().parent
# What joserfc refuses and RFC 7515 does not; with the reason.
STRICTER = {"header/mistyped_keys_in_header_are_ignored": "checks the types of members that it doesn't use"}
KEY_TYPES: dict[str, Any] = {"rsa": RSAKey, "ec": ECKey, "ed": OKPKey}


def main() -> int:
    warnings.simplefilter("ignore", SecurityWarning)
    faults = []
    counts = {"signatures": 0, "verified tokens": 0}
    for path in sorted(HERE.glob("*/*.json")):
        if path.parent.name == "documents":
            continue
        name = f"{path.parent.name}/{path.stem}"
        case = json.loads(path.read_text(encoding="utf-8"))
        label = case.get("token", {}).get("signature")
        if label:
            counts["signatures"] += 1
            if signature_is_valid(compact_of(case), label) != label["valid"]:
                faults.append(f"{name}: the signature's label is wrong")
        if case["expect"]["outcome"] == "verified":
            counts["verified tokens"] += 1
            problem = verification_problem(case)
            if (problem is not None) != (name in STRICTER):
                faults.append(f"{name}: {problem or 'is verified, against the list'}")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(", ".join(f"{count} {what}" for what, count in counts.items()), "checked")
    return 1 if faults else 0


def compact_of(case: dict[str, Any]) -> str:
    values = [value for name, value in case["request"]["headers"] if name.lower() == "authorization"]
    return str(values[0].split(maxsplit=1)[1].rstrip(" \t"))


def signature_is_valid(compact: str, label: dict[str, Any]) -> bool:
    """Over the received bytes, whatever they mean: this also covers headers and payloads that are not JSON.
    The key is the label's, not the one that the token's `kid` names."""
    message, _, signature = compact.rpartition(".")
    algorithm = jws.JWSRegistry.algorithms[label["alg"]]
    key = OctKey.import_key(decoded(label["secret"])) if "secret" in label else private_key(label["key"])
    try:
        return bool(algorithm.verify(message.encode(), decoded(signature), key))
    except (JoseError, ValueError):
        return False


@cache
def private_key(name: str) -> Any:
    kind = next(kind for prefix, kind in KEY_TYPES.items() if name.removeprefix("attacker-").startswith(prefix))
    return kind.import_key((HERE / "keys" / f"{name}.pem").read_bytes())


def verification_problem(case: dict[str, Any]) -> str | None:
    keys = [key for document in served(case) for key in document.get("keys", ()) if isinstance(key, dict)]
    compact = compact_of(case)
    algorithms = case["policy"]["algorithms"]
    header: Header = json.loads(decoded(compact.split(".")[0]))
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = 16 * 1024
    for key in keys:
        if key.get("kid") != header["kid"]:
            continue
        try:
            imported = KeySet.import_key_set({"keys": [key]}).keys[0]
            payload = jws.deserialize_compact(compact, imported, registry=registry).payload
        except (JoseError, ValueError):
            continue
        return None if json.loads(payload) == case["expect"]["claims"] else "the claims differ"
    return "no key of the case verifies it"


def served(case: dict[str, Any]) -> list[dict[str, Any]]:
    """All versions of all documents of the case that are JSON objects."""
    documents = []
    for version in case["documents"].values():
        while version:
            text = version.get("raw")
            if "file" in version:
                text = (HERE / "documents" / f"{version['file']}.json").read_text(encoding="utf-8")
            document = version.get("json") if text is None else parsed(text)
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
