"""DPoP over real HTTP: every row of what a client is answered, in each mode and both profiles. RFC 9449 section 7."""

import logging
import time
from contextlib import ExitStack

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from joserfc.jwk import ECKey, RSAKey

from bearward import ApiClient, ApiClientOptions, BaseAuthError, InvalidDpopProofError, MissingRequiredArgumentError
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, Prover, Tenant, ath, running

OFF, MIXED, REQUIRED = {"dpop_enabled": False}, {}, {"dpop_required": True}
D = 'DPoP algs="ES256"'


def challenge(mode, scheme, error, text, scope=None):
    """The table "WWW-Authenticate" of the specification, once more: written independently of the engine's."""
    words = f'error="{error}", error_description="{text}"' + (f', scope="{scope}"' if scope else "")
    if mode is OFF:
        return f"Bearer {words}" if text else 'Bearer realm="api"'
    if mode is REQUIRED:
        return f'DPoP {words}, algs="ES256"' if text else D
    if not text:
        return f'Bearer realm="api", {D}'
    if scheme == "DPoP":
        return f'Bearer realm="api", DPoP {words}, algs="ES256"'
    return f"Bearer {words}, {D}"


class Http:
    """A guarded app under uvicorn, and what clients send to it."""

    def __init__(self, tenant, prover, port):
        self.tenant = tenant
        self.prover = prover
        self.origin = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.origin)

    def url(self, path="/private"):
        return self.origin + path

    def headers(self, **proof):
        """Good credentials in the DPoP scheme, but for what `proof` changes."""
        return self.prover.headers(**{"htu": self.url(), **proof})

    def get(self, headers, path="/private"):
        return self.client.get(path, headers=headers)


@pytest.fixture(scope="module")
def servers():
    """One server per mode and profile, begun when it is asked for first."""
    tenant = Tenant()
    started = {}
    with ExitStack() as stack:

        def server(**options):
            key = repr(sorted(options.items()))
            if key not in started:
                auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, **options)
                port = stack.enter_context(running(guarded_app(auth0)))
                started[key] = http = Http(tenant, Prover(tenant), port)
                stack.callback(http.client.close)
            return started[key]

        yield server


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def dpop(token, proof=None):
    return {"Authorization": f"DPoP {token}"} | ({} if proof is None else {"DPoP": proof})


NOTHING = (400, "invalid_request", "")
GOOD = (200, None, None)


def proof_error(text):
    return (400, "invalid_dpop_proof", text)


def token_error(text):
    return (401, "invalid_token", text)


# What is sent; the scheme of the challenge; the answers with DPoP off, mixed, and required.
ROWS = {
    "no_authorization": (lambda http: {}, None, NOTHING, NOTHING, NOTHING),
    "an_empty_authorization": (lambda http: {"Authorization": ""}, None, NOTHING, NOTHING, NOTHING),
    "an_unknown_scheme": (lambda http: {"Authorization": "Basic dTpw"}, None, NOTHING, NOTHING, NOTHING),
    "bearer_without_a_token": (lambda http: {"Authorization": "Bearer"}, "Bearer", NOTHING, NOTHING, NOTHING),
    "dpop_without_a_token": (lambda http: {"Authorization": "DPoP"}, "DPoP", NOTHING, NOTHING, NOTHING),
    "bearer": (lambda http: bearer(http.tenant.token()), "Bearer", GOOD, GOOD, NOTHING),
    "dpop": (lambda http: http.headers(), "DPoP", NOTHING, GOOD, GOOD),
    "dpop_in_any_case": (
        lambda http: {k: v.replace("DPoP ", "dPOP ") for k, v in http.headers().items()},
        "DPoP",
        NOTHING,
        GOOD,
        GOOD,
    ),
    "dpop_without_a_proof": (lambda http: dpop(http.prover.token()), "DPoP", NOTHING, NOTHING, NOTHING),
    "dpop_with_an_empty_proof": (lambda http: dpop(http.prover.token(), ""), "DPoP", NOTHING, NOTHING, NOTHING),
    "a_proof_beside_bearer": (
        lambda http: {**http.headers(), **bearer(http.tenant.token())},
        "Bearer",
        GOOD,
        (400, "invalid_request", "DPoP proof requires DPoP authentication scheme, not Bearer"),
        NOTHING,
    ),
    "a_bound_token_as_bearer": (
        lambda http: bearer(http.prover.token()),
        "Bearer",
        GOOD,
        token_error("DPoP-bound token requires the DPoP authentication scheme, not Bearer"),
        NOTHING,
    ),
    "a_bound_token_as_bearer_with_a_proof": (
        lambda http: {k: v.replace("DPoP ", "Bearer ") for k, v in http.headers().items()},
        "Bearer",
        GOOD,
        token_error("DPoP-bound token requires the DPoP authentication scheme, not Bearer"),
        NOTHING,
    ),
    "an_expired_bearer_token": (
        lambda http: bearer(http.tenant.token(exp=1)),
        "Bearer",
        token_error("Token is expired"),
        token_error("Token is expired"),
        NOTHING,
    ),
    "a_token_bound_to_a_certificate": (
        lambda http: bearer(http.tenant.token(cnf={"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"})),
        "Bearer",
        token_error("Access token 'cnf' claim missing 'jkt'"),
        token_error("Access token 'cnf' claim missing 'jkt'"),
        NOTHING,
    ),
}

# Of requests in the DPoP scheme: mixed and required answer the same but for the challenge.
DPOP_ROWS = {
    "an_expired_token": (
        lambda http: http.headers(token=http.prover.token(exp=1)),
        token_error("Token is expired"),
    ),
    "a_token_that_is_not_bound": (
        lambda http: http.headers(token=http.tenant.token()),
        token_error("JWT Access Token has no jkt confirmation claim"),
    ),
    "a_cnf_that_is_no_object": (
        lambda http: http.headers(token=http.prover.token(cnf="x")),
        token_error("JWT Access Token has invalid confirmation claim format"),
    ),
    "a_cnf_without_jkt": (
        lambda http: http.headers(token=http.prover.token(cnf={})),
        token_error("Access token 'cnf' claim missing 'jkt'"),
    ),
    "a_cnf_with_two_methods": (
        lambda http: http.headers(token=http.prover.token(cnf={"jkt": http.prover.jkt, "x5t#S256": "x"})),
        token_error("JWT Access Token has invalid confirmation claim format"),
    ),
    "a_stolen_token_with_the_thiefs_proof": (
        lambda http: Prover(http.tenant).headers(http.url(), token=http.prover.token()),
        token_error("JWT Access Token confirmation mismatch"),
    ),
    "two_proofs_joined": (
        lambda http: dpop(t := http.prover.token(), ", ".join([http.prover.proof(t, http.url())] * 2)),
        proof_error("Multiple DPoP proofs are not allowed"),
    ),
    "a_proof_that_is_no_jws": (
        lambda http: dpop(http.prover.token(), "nonsense"),
        proof_error("Failed to verify DPoP proof"),
    ),
    "typ_of_a_plain_jwt": (
        lambda http: http.headers(header={"typ": "JWT"}),
        proof_error("Unexpected JWT 'typ' header parameter value"),
    ),
    "no_typ": (
        lambda http: http.headers(header={"typ": None}),
        proof_error("Unexpected JWT 'typ' header parameter value"),
    ),
    "alg_none": (
        lambda http: http.headers(header={"alg": "none"}),
        proof_error("Unsupported algorithm in DPoP proof"),
    ),
    "an_algorithm_that_is_not_accepted": (
        lambda http: http.headers(header={"alg": "RS256"}),
        proof_error("Unsupported algorithm in DPoP proof"),
    ),
    "no_jwk": (
        lambda http: http.headers(header={"jwk": None}),
        proof_error("Missing or invalid jwk in header"),
    ),
    "a_private_jwk": (
        lambda http: http.headers(header={"jwk": http.prover.key.as_dict(private=True)}),
        proof_error("Private key material found in jwk header"),
    ),
    "an_rsa_jwk": (
        lambda http: http.headers(header={"jwk": RSAKey.generate_key(2048).as_dict(private=False)}),
        proof_error("Only EC keys are supported for DPoP"),
    ),
    "a_jwk_of_another_curve": (
        lambda http: http.headers(header={"jwk": ECKey.generate_key("P-384").as_dict(private=False)}),
        proof_error("Only P-256 curve is supported"),
    ),
    "signed_by_another_key": (
        lambda http: http.headers(key=ECKey.generate_key("P-256")),
        proof_error("JWT signature verification failed"),
    ),
    "crit": (lambda http: http.headers(header={"crit": ["x"]}), proof_error("Failed to verify DPoP proof")),
    "no_jti": (lambda http: http.headers(jti=None), proof_error("Missing required claim: jti")),
    "a_jti_that_is_no_string": (lambda http: http.headers(jti=5), proof_error("jti claim must be a string")),
    "an_empty_jti": (lambda http: http.headers(jti=""), proof_error("jti claim must not be empty")),
    "an_iat_that_is_no_number": (
        lambda http: http.headers(iat="now"),
        proof_error("Invalid iat claim (must be integer or float)"),
    ),
    "an_old_proof": (lambda http: http.headers(iat=int(time.time()) - 310), proof_error("DPoP Proof iat is too old")),
    "a_proof_from_the_future": (
        lambda http: http.headers(iat=int(time.time()) + 40),
        proof_error("DPoP Proof iat is from the future"),
    ),
    "an_expired_proof": (
        lambda http: http.headers(exp=int(time.time()) - 60),
        proof_error("DPoP Proof is expired"),
    ),
    "for_another_method": (lambda http: http.headers(htm="POST"), proof_error("DPoP Proof htm mismatch")),
    "for_a_method_in_lower_case": (lambda http: http.headers(htm="get"), proof_error("DPoP Proof htm mismatch")),
    "for_another_path": (lambda http: http.headers(htu=http.url("/sync")), proof_error("DPoP Proof htu mismatch")),
    "for_another_token": (
        lambda http: http.headers(ath=ath(http.tenant.token())),
        proof_error("DPoP Proof ath mismatch"),
    ),
    "for_the_tokens_hash_padded": (
        lambda http: http.headers(token=(t := http.prover.token()), ath=ath(t) + "="),
        proof_error("DPoP Proof ath mismatch"),
    ),
}
for _name, (_send, _answer) in DPOP_ROWS.items():
    ROWS[_name] = (_send, "DPoP", NOTHING, _answer, _answer)


def status_by_rfc(status, error, text):
    return 401 if error == "invalid_dpop_proof" or (error == "invalid_request" and not text) else status


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("profile", [{}, {"rfc_status_codes": True}], ids=["compatible", "rfc"])
@pytest.mark.parametrize("mode", [OFF, MIXED, REQUIRED], ids=["off", "mixed", "required"])
def test_row(servers, mode, profile, row):
    http = servers(**mode, **profile)
    send, scheme, *answers = ROWS[row]
    status, error, text = answers[[OFF, MIXED, REQUIRED].index(mode)]
    answer = http.get(send(http))
    if profile and status != 200:
        status = status_by_rfc(status, error, text)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json() == {"detail": {"error": error, "error_description": text}}
        assert answer.headers.get_list("www-authenticate") == [challenge(mode, scheme, error, text)]
        assert "dpop-nonce" not in answer.headers


@pytest.mark.parametrize("mode", [MIXED, REQUIRED], ids=["mixed", "required"])
def test_a_proof_is_good_once(servers, mode):
    http = servers(**mode)
    headers = http.headers()
    assert http.get(headers).status_code == 200
    answer = http.get(headers)
    text = "DPoP Proof was already used"
    assert (answer.status_code, answer.json()["detail"]["error_description"]) == (400, text)
    assert answer.headers["www-authenticate"] == challenge(mode, "DPoP", "invalid_dpop_proof", text)
    # The same `jti` in another proof of the same client is the same proof, whatever else is in it.
    jti = "given-twice"
    assert [http.get(http.headers(jti=jti, iat=int(time.time()) - n)).status_code for n in (0, 1)] == [200, 400]
    # Another client's is its own.
    assert http.get(Prover(http.tenant).headers(http.url(), jti=jti)).status_code == 200


def test_a_proof_that_was_refused_is_not_used_up(servers):
    http = servers()
    headers = http.headers()
    assert http.get({**headers, "Authorization": f"DPoP {http.tenant.token()}"}).status_code == 401
    assert http.client.post("/private", headers=headers).status_code == 405
    assert http.get(headers, "/sync").status_code == 400
    assert http.get(headers).status_code == 200


@pytest.mark.parametrize("mode", [MIXED, REQUIRED], ids=["mixed", "required"])
def test_insufficient_scope(servers, mode):
    http = servers(**mode)
    token = http.prover.token(scope="openid")
    answer = http.get(http.prover.headers(http.url("/messages"), token=token), "/messages")
    error, text = "insufficient_scope", "Insufficient scopes"
    assert (answer.status_code, answer.json()["detail"]["error"]) == (403, error)
    assert answer.headers["www-authenticate"] == challenge(mode, "DPoP", error, text, "read:messages")


def test_replay_protection_can_be_switched_off(servers):
    http = servers(dpop_replay=False)
    headers = http.headers()
    assert [http.get(headers).status_code for _ in range(3)] == [200] * 3


def test_the_window_can_be_set(servers):
    http = servers(dpop_iat_offset=5, dpop_iat_leeway=0.5)
    now = time.time()
    answers = [http.get(http.headers(iat=now + moved)) for moved in (-10, -4, 5)]
    assert [answer.status_code for answer in answers] == [400, 200, 400]
    assert [answer.json()["detail"]["error_description"] for answer in (answers[0], answers[2])] == [
        "DPoP Proof iat is too old",
        "DPoP Proof iat is from the future",
    ]


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("ES384", lambda: ECKey.generate_key("P-384")),
        ("RS256", lambda: RSAKey.generate_key(2048)),
        ("PS256", lambda: RSAKey.generate_key(2048)),
        ("ES256", lambda: ECKey.generate_key("P-256")),
    ],
)
def test_other_algorithms_for_proofs(servers, alg, key):
    algorithms = ("ES256", "ES384", "RS256", "PS256", "EdDSA")
    http = servers(dpop_algorithms=algorithms)
    client = Prover(http.tenant, key(), alg)
    assert http.get(client.headers(http.url())).status_code == 200
    assert http.get({}).headers["www-authenticate"] == f'Bearer realm="api", DPoP algs="{" ".join(algorithms)}"'


def test_query_and_fragment_do_not_count(servers):
    http = servers()
    for htu in ("/private", "/private?a=b", "/private?c", "/private#d"):
        assert http.get(http.headers(htu=http.url(htu)), "/private?a=b").status_code == 200


def test_several_guards_of_one_request_use_the_proof_up_once(auth0, tenant, prover):
    async def user(claims: dict = Depends(auth0.require_auth("openid"))):
        claims["cnf"]["jkt"] = claims["sub"] = "changed"
        return claims

    app = FastAPI(dependencies=[Depends(auth0.require_auth())])

    @app.get("/several")
    async def several(user: dict = Depends(user), claims: dict = Depends(auth0.require_auth("read:messages"))):
        return claims

    @app.get("/admin")
    async def admin(claims: dict = Depends(auth0.require_auth("admin"))):
        return claims

    client = TestClient(app)
    headers = prover.headers("http://testserver/several")
    answer = client.get("/several", headers=headers)
    assert (answer.status_code, answer.json()["sub"], answer.json()["cnf"]) == (200, "auth0|1234", {"jkt": prover.jkt})
    assert client.get("/several", headers=headers).status_code == 400
    assert client.get("/admin", headers=prover.headers("http://testserver/admin")).status_code == 403


async def test_what_one_guard_found_out_counts_for_the_same_credentials_and_guard_only(auth0, tenant, prover):
    def fields(headers):
        return [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "query_string": b""}
    scope["headers"] = [(b"host", b"a.example"), *fields(prover.headers("http://a.example/"))]
    for _ in range(2):
        assert (await auth0.require_auth("openid")(Request(scope)))["sub"] == "auth0|1234"
    other = Auth0FastAPI(domain=tenant.domain, audience="other", custom_fetch=tenant.fetch)
    with pytest.raises(HTTPException, match="Audience"):
        await other.require_auth()(Request(scope))
    for headers in ({}, {"Authorization": "DPoP x", "DPoP": "y"}, prover.headers("http://b.example/")):
        scope["headers"] = [(b"host", b"a.example"), *fields(headers)]
        with pytest.raises(HTTPException):
            await auth0.require_auth()(Request(scope))


# ApiClient, without HTTP


@pytest.fixture
def api_client(tenant):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))


URL = "https://api.example/a"


async def test_verify_request(api_client, prover):
    claims = await api_client.verify_request(prover.headers(URL, htm="PUT"), "PUT", URL)
    assert claims["cnf"] == {"jkt": prover.jkt}


@pytest.mark.parametrize(
    ("method", "url", "argument", "text"),
    [
        (None, URL, "http_method", "DPoP authentication requires http_method"),
        ("GET", None, "http_url", "DPoP authentication requires http_url"),
        (None, None, "http_method/http_url", "DPoP authentication requires http_method and http_url"),
    ],
)
async def test_verify_request_needs_to_know_the_target(api_client, prover, method, url, argument, text):
    with pytest.raises(MissingRequiredArgumentError) as refusal:
        await api_client.verify_request(prover.headers(URL), method, url)
    assert (refusal.value.argument, str(refusal.value)) == (argument, text)


async def test_verify_dpop_proof(api_client, prover):
    token = prover.token()
    proof = prover.proof(token, URL, jti="the-id")
    for _ in range(2):  # it isn't used up
        claims = await api_client.verify_dpop_proof(token, proof, "GET", URL)
        assert (type(claims), claims["jti"], claims["htu"]) == (dict, "the-id", URL)
    for wrong, text in (
        ((token, proof, "POST", URL), "htm"),
        ((token, proof, "GET", URL + "/"), "htu"),
        ((prover.token(sub="b"), proof, "GET", URL), "ath"),
        ((token, proof[:-4] + "AAAA", "GET", URL), "signature verification failed"),
        ((token, "\udcff", "\udcff", "\udcff"), "Failed to verify DPoP proof"),
        (("\udcff", proof, "GET", URL), "ath"),
        ((token, proof, "GET\udcff", URL), "htm"),
        ((token, proof, "GET", URL + "\udcff"), "htu"),
    ):
        with pytest.raises(InvalidDpopProofError, match=text) as refusal:
            await api_client.verify_dpop_proof(*wrong)
        assert refusal.value.get_status_code() == 400


@pytest.mark.parametrize("empty", ["", None])
async def test_verify_dpop_proof_needs_its_arguments(api_client, prover, empty):
    good = {"access_token": "t", "proof": "p", "http_method": "GET", "http_url": URL}
    for argument, name in (
        ("access_token", "access_token"),
        ("proof", "dpop_proof"),
        ("http_method", "http_method/http_url"),
        ("http_url", "http_method/http_url"),
    ):
        with pytest.raises(MissingRequiredArgumentError) as refusal:
            await api_client.verify_dpop_proof(**{**good, argument: empty})
        assert refusal.value.argument == name


def test_is_dpop_required():
    options = {"domain": "t.example", "audience": AUDIENCE}
    for mode, required in ((OFF, False), (MIXED, False), (REQUIRED, True)):
        assert ApiClient(ApiClientOptions(**options, **mode)).is_dpop_required() is required


async def test_with_dpop_off_a_bound_token_is_taken_and_told_once(tenant, prover, caplog):
    options = ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, dpop_enabled=False)
    api_client = ApiClient(options)
    caplog.set_level(logging.DEBUG, "bearward")
    await api_client.verify_request(tenant.authorization())
    assert caplog.records == []
    for _ in range(3):
        assert (await api_client.verify_request({"authorization": f"Bearer {prover.token()}"}))["cnf"]
    (record,) = caplog.records
    assert (record.levelname, "DPoP is disabled" in record.getMessage()) == ("WARNING", True)


async def test_a_surrogate_in_the_url_is_a_refusal(api_client, prover):
    with pytest.raises(BaseAuthError) as refusal:
        await api_client.verify_request(prover.headers(URL), "GET\udcff", URL + "\udcff")
    assert refusal.value.get_status_code() == 400
