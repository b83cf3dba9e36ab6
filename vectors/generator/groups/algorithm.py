"""Which algorithms are accepted: those of the policy, never the token's own wish. Step 3."""

from __future__ import annotations

from ..case import ABSENT, ALL_ALGORITHMS, Group, documents, hmac_token, rejected, token, unsigned_token
from ..keys import jwk, private_key, public_bytes

KEYS = {"RS": "rsa-a", "PS": "rsa-a", "ES256": "ec-p256", "ES384": "ec-p384", "EdDSA": "ed25519"}
ALL_KEYS = documents({"file": "key-set-all-algorithms"})
TABLE = "RFC 7518 section 3, RFC 8037 section 3.1"


def group() -> Group:
    cases = Group("algorithm")
    for alg in ALL_ALGORITHMS:
        tok = token(alg=alg, key=KEYS.get(alg) or KEYS[alg[:2]])
        name = alg.lower()
        cases.accept(f"{name}_is_accepted_where_allowed", TABLE, tok, policy={"algorithms": [alg]}, docs=ALL_KEYS)
        cases.accept(
            f"{name}_is_accepted_among_others", TABLE, tok, policy={"algorithms": ALL_ALGORITHMS}, docs=ALL_KEYS
        )
        others = [other for other in ALL_ALGORITHMS if other != alg]
        cases.add(
            f"{name}_is_rejected_where_not_allowed",
            TABLE,
            tok,
            "algorithm_not_allowed",
            policy={"algorithms": others},
            docs=ALL_KEYS,
        )
    _newer(cases)
    _none(cases)
    _symmetric(cases)
    _unknown(cases)
    _cross_use(cases)
    return cases


def _newer(cases: Group) -> None:
    """ES512, and the name `Ed25519` for EdDSA."""
    spec = "RFC 7518 section 3.4, RFC 9864 section 2.2"
    es512 = token(alg="ES512", key="ec-p521")
    policy = {"algorithms": ["ES512"]}
    cases.accept("es512_is_accepted_where_allowed", spec, es512, policy=policy, docs=ALL_KEYS)
    cases.add(
        "es512_with_a_changed_signature_is_rejected",
        spec,
        token(alg="ES512", key="ec-p521", tamper=lambda it: it[:-1] + bytes([it[-1] ^ 1])),
        "signature_invalid",
        policy=policy,
        docs=ALL_KEYS,
    )
    old, new = token(alg="EdDSA", key="ed25519"), token(alg="Ed25519", key="ed25519")
    for name in ("EdDSA", "Ed25519"):
        allowed = {"algorithms": [name]}
        for tok in (old, new):
            alg = tok.about["header"]["alg"].lower()
            if (name, alg) != ("EdDSA", "eddsa"):
                title = f"{alg}_is_accepted_where_{name.lower()}_is_allowed"
                cases.accept(title, spec, tok, policy=allowed, docs=ALL_KEYS)
            keys = documents({"json": {"keys": [jwk("ed25519", alg=name)]}})
            title = f"{alg}_is_accepted_with_a_key_for_{name.lower()}"
            cases.accept(title, spec, tok, policy={"algorithms": ["EdDSA"]}, docs=keys)
    for key, other in (("ed25519", "ES512"), ("ec-p521", "EdDSA")):
        keys = documents({"json": {"keys": [jwk(key, alg=other)]}})
        alg = "Ed25519" if key == "ed25519" else "ES512"
        tok = token(alg=alg, key=key)
        policy = {"algorithms": ["ES512", "EdDSA"]}
        cases.add(
            f"{alg.lower()}_is_not_verified_with_a_key_for_{other.lower()}",
            spec,
            tok,
            "unavailable",
            policy=policy,
            docs=keys,
        )


def _none(cases: Group) -> None:
    spec = "RFC 8725 section 3.2"
    for name, alg in {
        "none": "none",
        "upper_case_none": "NONE",
        "mixed_case_none": "nOnE",
        "padded_none": "none ",
    }.items():
        cases.add(f"alg_{name}_is_rejected", spec, unsigned_token({"alg": alg}), "algorithm_not_allowed")
    cases.add(
        "alg_none_with_a_signature_is_rejected",
        spec,
        unsigned_token(signature=token().segments()[2]),
        "algorithm_not_allowed",
    )
    cases.add(
        "alg_none_is_rejected_whatever_is_allowed",
        spec,
        unsigned_token(),
        "algorithm_not_allowed",
        policy={"algorithms": ALL_ALGORITHMS},
    )
    cases.add(
        "alg_none_with_good_signature_is_rejected",
        spec,
        token(header={"alg": "none"}, sign_as="RS256"),
        "algorithm_not_allowed",
    )


def _symmetric(cases: Group) -> None:
    """The issuer's public key taken for an HMAC secret."""
    spec = "RFC 8725 section 2.1"
    text = "Symmetric algorithm '{}' is not supported"
    numbers = private_key("rsa-a").public_key().public_numbers()
    secrets = {
        "pem": public_bytes("rsa-a", "PEM"),
        "pem_without_line_break": public_bytes("rsa-a", "PEM").strip(),
        "der": public_bytes("rsa-a", "DER"),
        "jwk_text": str(jwk("rsa-a")).replace("'", '"').encode(),
        "modulus": numbers.n.to_bytes(256, "big"),
        "empty_secret": b"",
    }
    for name, secret in secrets.items():
        cases.add(
            f"hs256_with_public_key_as_{name}_is_rejected",
            spec,
            hmac_token("HS256", secret),
            rejected("symmetric_algorithm", text.format("HS256")),
        )
    for alg in ["HS384", "HS512"]:
        cases.add(
            f"{alg.lower()}_is_rejected",
            spec,
            hmac_token(alg, secrets["pem"]),
            rejected("symmetric_algorithm", text.format(alg)),
        )
    cases.add(
        "hs256_is_rejected_whatever_is_allowed",
        spec,
        hmac_token("HS256", secrets["pem"]),
        rejected("symmetric_algorithm", text.format("HS256")),
        policy={"algorithms": ALL_ALGORITHMS},
    )
    cases.add(
        "hs256_in_lower_case_is_rejected",
        spec,
        token(header={"alg": "hs256"}, sign_as="RS256"),
        "algorithm_not_allowed",
    )
    cases.add("hs1_is_rejected", spec, token(header={"alg": "HS1"}, sign_as="RS256"), "algorithm_not_allowed")
    cases.add(
        "hs256_with_quote_in_name_is_rejected",
        spec,
        token(header={"alg": 'HS256"\r\nSet-Cookie: a=b'}, sign_as="RS256"),
        "algorithm_not_allowed",
    )


def _unknown(cases: Group) -> None:
    spec = "RFC 7518 section 3.1"
    for name, value in {
        "missing": ABSENT,
        "null": None,
        "number": 256,
        "array": ["RS256"],
        "object": {},
        "true": True,
    }.items():
        cases.add(
            f"alg_that_is_{name}_is_rejected", spec, token(header={"alg": value}, sign_as="RS256"), "algorithm_missing"
        )
    for name, value in {
        "empty": "",
        "lower_case": "rs256",
        "padded": "RS256 ",
        "rs1": "RS1",
        "unknown": "XX999",
        "rsa_oaep": "RSA-OAEP",
        "kelvin_sign": "R\u017f256",
    }.items():
        cases.add(
            f"alg_{name}_is_rejected",
            spec,
            token(header={"alg": value}, sign_as="RS256"),
            "algorithm_not_allowed",
            policy={"algorithms": ALL_ALGORITHMS},
        )
    for alg, key in {"ES512": "ec-p521", "ES256K": "ec-secp256k1"}.items():
        cases.add(
            f"{alg.lower()}_is_rejected",
            TABLE,
            token(alg=alg, key=key),
            "algorithm_not_allowed",
            policy={"algorithms": ALL_ALGORITHMS},
            docs=ALL_KEYS,
        )
    cases.add(
        "ed448_key_is_rejected",
        "RFC 8037 section 3.1",
        token(alg="EdDSA", key="ed448"),
        "unusable_key",
        policy={"algorithms": ALL_ALGORITHMS},
        docs=ALL_KEYS,
    )


def _cross_use(cases: Group) -> None:
    spec = "RFC 8725 section 3.1"
    every = {"algorithms": ALL_ALGORITHMS}
    for header_alg, signed, key, code in [
        ("RS256", "PS256", "rsa-a", "signature_invalid"),
        ("PS256", "RS256", "rsa-a", "signature_invalid"),
        ("RS256", "RS512", "rsa-a", "signature_invalid"),
        ("PS384", "PS256", "rsa-a", "signature_invalid"),
        ("ES256", "ES384", "ec-p384", "unusable_key"),
        ("ES384", "ES256", "ec-p256", "unusable_key"),
        ("RS256", "ES256", "ec-p256", "unusable_key"),
        ("ES256", "RS256", "rsa-a", "unusable_key"),
        ("EdDSA", "ES256", "ec-p256", "unusable_key"),
        ("ES256", "EdDSA", "ed25519", "unusable_key"),
        ("ES256", "ES256K", "ec-secp256k1", "unusable_key"),
        ("ES256", "ES512", "ec-p521", "unusable_key"),
    ]:
        tok = token(alg=header_alg, key=key, sign_as=signed)
        name = f"{header_alg.lower()}_signed_as_{signed.lower()}_is_rejected"
        cases.add(name, spec, tok, code, policy=every, docs=ALL_KEYS)
    cases.accept("one_key_serves_both_rsa_paddings", spec, token(alg="PS256"), policy=every, docs=ALL_KEYS)
