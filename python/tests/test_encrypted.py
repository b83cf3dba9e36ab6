"""Encrypted tokens (JWE), made by the local tenant and by joserfc. `vectors/encrypted.json` has the rules."""

import logging
import pickle
import traceback

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fastapi.testclient import TestClient
from joserfc import jwe
from joserfc.jwk import RSAKey

from bearward import ApiClient, ApiClientOptions, ConfigurationError, VerifyAccessTokenError
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE

KEY, NEXT_KEY, STRANGE_KEY = (rsa.generate_private_key(65537, 2048) for _ in range(3))


def pem(key, form=PrivateFormat.PKCS8, encryption=None):
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def encrypted(content, key=KEY, **header):
    """By joserfc, which shares no code with the engine."""
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT", **header}
    algorithms = [header["alg"], header["enc"]]
    recipient = RSAKey.import_key(public_pem(key))
    return jwe.encrypt_compact(header, content.encode(), recipient, algorithms=algorithms)


def options(tenant, **more):
    return ApiClientOptions(
        **{
            "domain": tenant.domain,
            "audience": AUDIENCE,
            "decryption_keys": [pem(KEY)],
            "custom_fetch": tenant.fetch,
            **more,
        }
    )


async def refusal(api_client, token):
    with pytest.raises(VerifyAccessTokenError) as refused:
        await api_client.verify_request({"Authorization": f"Bearer {token}"})
    return refused.value


def test_tokens_of_the_local_tenant(local_tenant):
    guard = Auth0FastAPI(domain=local_tenant.domain, audience=AUDIENCE, decryption_keys=[pem(KEY)])
    client = TestClient(guarded_app(guard))

    def ask(key):
        order = {"scope": "read:messages", "format": {"encrypted_for": public_pem(key)}}
        return client.get("/messages", headers=local_tenant.authorization(**order)).status_code

    assert [ask(KEY), ask(KEY), ask(STRANGE_KEY)] == [200, 200, 401]


@pytest.mark.parametrize("enc", ["A256GCM", "A128GCM"])
async def test_tokens_of_another_implementation(tenant, enc):
    api_client = ApiClient(options(tenant))
    claims = await api_client.verify_access_token(encrypted(tenant.token(), enc=enc))
    assert claims["sub"] == "auth0|1234"
    for inside, code in [
        (tenant.token(exp=1), "token_expired"),
        (encrypted(tenant.token()), "content_not_signed"),
        ("e30", "content_not_signed"),
    ]:
        assert (await refusal(api_client, encrypted(inside, enc=enc))).code == code


@pytest.mark.parametrize("header", [{"alg": "RSA-OAEP"}, {"enc": "A256CBC-HS512"}])
async def test_other_algorithms_are_refused(tenant, header):
    refused = await refusal(ApiClient(options(tenant)), encrypted(tenant.token(), **header))
    assert (refused.code, refused.get_status_code()) == ("encryption_not_supported", 401)
    assert tenant.fetched == []


async def test_nobody_learns_why_a_token_does_not_open(tenant):
    api_client = ApiClient(options(tenant))
    good = encrypted(tenant.token()).split(".")
    answers = set()
    for place in range(1, 5):
        changed = [*good[:place], ("A" if good[place][0] != "A" else "B") + good[place][1:], *good[place + 1 :]]
        refused = await refusal(api_client, ".".join(changed))
        answers.add((refused.code, str(refused), refused.detail, str(refused.get_headers())))
    refused = await refusal(api_client, encrypted(tenant.token(), STRANGE_KEY))
    answers.add((refused.code, str(refused), refused.detail, str(refused.get_headers())))
    assert len(answers) == 1
    assert next(iter(answers))[0] == "decryption_failed"


async def test_a_key_is_exchanged_for_another(tenant):
    old, new = encrypted(tenant.token(), kid="1"), encrypted(tenant.token(), NEXT_KEY, kid="2")
    for keys in ([pem(KEY), pem(NEXT_KEY).encode()], {"1": pem(KEY), "2": pem(NEXT_KEY)}):
        api_client = ApiClient(options(tenant, decryption_keys=keys))
        for token in (old, new):
            assert await api_client.verify_access_token(token)
    swapped = ApiClient(options(tenant, decryption_keys={"2": pem(KEY), "1": pem(NEXT_KEY)}))
    for token in (old, new):
        assert (await refusal(swapped, token)).code == "decryption_failed"


async def test_a_proof_is_for_the_token_as_it_was_sent(tenant, prover):
    api_client, url = ApiClient(options(tenant)), "https://api.example.com/"
    bound = prover.token()
    token = encrypted(bound)
    # Twice and more: the token is remembered as it was sent.
    for _ in range(3):
        assert await api_client.verify_request(prover.headers(url, token), "GET", url)
    headers = {"Authorization": f"DPoP {token}", "DPoP": prover.proof(bound, url)}
    with pytest.raises(Exception, match="ath mismatch"):
        await api_client.verify_request(headers, "GET", url)


async def test_no_key_and_no_content_is_shown(tenant, caplog):
    caplog.set_level(logging.DEBUG)
    api_client, inside = ApiClient(options(tenant)), tenant.token(exp=1)
    guard = Auth0FastAPI.from_client(api_client)
    token = encrypted(inside)
    TestClient(guarded_app(guard)).get("/private", headers={"Authorization": f"Bearer {token}"})
    refused = await refusal(api_client, token)
    shown = [repr(it) for it in (api_client, api_client.options, api_client._engine, guard, refused)]
    shown += [caplog.text, "".join(traceback.format_exception(type(refused), refused, refused.__traceback__))]
    secrets = [*pem(KEY).splitlines()[1:-1], *token.split("."), *inside.split(".")]
    assert not [secret for secret in secrets if any(secret in text for text in shown)]


async def test_a_pickled_client_has_the_keys(tenant):
    pickled = pickle.dumps(ApiClient(options(tenant, custom_fetch=None)))
    assert pem(KEY).encode() in pickled
    copy = pickle.loads(pickled)  # noqa: S301 - our own
    assert (await refusal(copy, encrypted("x"))).code == "content_not_signed"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (pem(KEY), "must be a list of private keys in PEM"),
        ([KEY], "must be a list of private keys in PEM"),
        ({1: pem(KEY)}, "must be a list of private keys in PEM"),
        ([], "there must be 1 to 4 keys"),
        ([pem(KEY)] * 5, "there must be 1 to 4 keys"),
        ({"": pem(KEY)}, "a kid is empty"),
        ([public_pem(KEY)], "PKCS #8 without a password"),
        ([pem(KEY, PrivateFormat.TraditionalOpenSSL)], "openssl pkcs8 -topk8 -nocrypt"),
        ([pem(KEY, encryption=BestAvailableEncryption(b"secret"))], "PKCS #8 without a password"),
        ([pem(ec.generate_private_key(ec.SECP256R1()))], "RSA private key"),
        (["\ud800"], "PEM"),
        ([b"\xff"], "PEM"),
    ],
)
def test_mistakes(tenant, keys, text):
    with pytest.raises(ConfigurationError, match=text) as mistake:
        ApiClient(options(tenant, decryption_keys=keys))
    assert "PRIVATE KEY-----\\n" not in repr(mistake.value)
