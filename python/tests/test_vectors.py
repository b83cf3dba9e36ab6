"""The shared vectors, in the format of `vectors/README.md`. Each case through the engine, and through `ApiClient`."""

import json
import time

import pytest
from cases import all_cases, document
from starlette.datastructures import Headers

import bearward._driver.introspect
from bearward import (
    ApiClient,
    ApiClientOptions,
    BaseAuthError,
    Introspection,
    IssuerUnavailableError,
    ProtectedResource,
    Requirement,
    _native,
)
from bearward.client import RequestFacts, Verified

CASES = all_cases()


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_the_vectors_are_there():
    assert len(CASES) > 1300


def test_engine(case):
    policy = dict(case["policy"])
    if "dpop_nonce_key" in policy:
        policy["dpop_nonce_keys"] = [bytes.fromhex(policy.pop("dpop_nonce_key"))]
    if "decryption_keys" in policy:
        policy["decryption_keys"] = [tuple(pair) for pair in policy["decryption_keys"]]
    if "introspection" in policy:
        introspection = policy.pop("introspection")
        policy["introspection_seconds"] = introspection["remember"]
        policy["introspection_endpoint"] = introspection.get("endpoint")
    # The members of a policy are the arguments of the engine.
    engine = _native.Engine(**policy)
    issuer = Documents(case["documents"])
    for step in steps(case):
        outcome = outcome_of(lambda step=step: decided(engine, step, issuer))
        if isinstance(outcome, _native.Passed):
            outcome = Verified(outcome.claims(), outcome.dpop_nonce)
        check(step, outcome, issuer, engine)


async def test_api_client(case, monkeypatch):
    await all_steps(case, monkeypatch, verified)


async def test_verify_request(case, monkeypatch):
    """Which takes a shorter way than the guards."""
    await all_steps(case, monkeypatch, verified_shortly)


async def all_steps(case, monkeypatch, verified):
    policy = case["policy"]
    issuer = Documents(case["documents"])

    async def respond(_loop, url, _method, **_request):
        body = issuer.body(url)
        if body is None:
            raise ConnectionError("the vector says that there is no answer")
        return (200, [], body) if isinstance(body, bytes) else (body, [], b"")

    monkeypatch.setattr(bearward._driver.introspect, "httpx_response", respond)
    api_client = ApiClient(
        ApiClientOptions(
            **issuers_of(policy),
            audience=policy.get("audience"),
            client_ids=policy.get("client_ids"),
            scope_claim=policy.get("scope_claim"),
            implies=policy.get("implies"),
            resource=resource_of(case),
            allow_private_jwks=policy.get("allow_private_jwks", False),
            jwks_uri=policy.get("jwks_uri"),
            jwks=json.loads(policy["jwks"]) if "jwks" in policy else None,
            **mtls_options(policy),
            decryption_keys=decryption_keys(policy),
            introspection=introspection(policy),
            custom_fetch=issuer.fetch,
            algorithms=policy["algorithms"],
            leeway=policy["leeway"],
            rfc_status_codes=policy["rfc_status_codes"],
            **dpop_options(policy),
        )
    )
    for step in steps(case):
        monkeypatch.setattr(time, "time", lambda step=step: step["now"])
        try:
            outcome = await verified(api_client, step)
        except BaseAuthError as error:
            outcome = error
        check(step, outcome, issuer, api_client)


def issuers_of(policy):
    names = policy["issuers"]
    if policy.get("exact_issuers"):
        return {"issuer": names[0] if policy["single_issuer"] else names}
    return {"domain": names[0]} if policy["single_issuer"] else {"domains": names}


def mtls_options(policy):
    place = policy.get("mtls")
    return {"mtls": place is not None, "client_certificate_header": None if place == "connection" else place}


def introspection(policy):
    if "introspection" not in policy:
        return None
    endpoint, seconds = policy["introspection"].get("endpoint"), policy["introspection"]["remember"]
    return Introspection(client_id="api", client_secret="secret", endpoint=endpoint, remember_seconds=seconds)


def decryption_keys(policy):
    pairs = policy.get("decryption_keys", [])
    if any(kid for kid, _ in pairs):
        return dict(pairs)
    return [pem for _, pem in pairs] or None


def shown(step):
    """What a request says of the client's certificate."""
    return {name: step["request"][name] for name in ("certificate", "behind_proxy") if name in step["request"]}


def dpop_options(policy):
    if policy["dpop"] == "off":
        return {"dpop_enabled": False}
    options = {
        "dpop_required": policy["dpop"] == "required",
        "dpop_algorithms": policy["dpop_algorithms"],
        "dpop_iat_offset": policy["dpop_iat_offset"],
        "dpop_iat_leeway": policy["dpop_iat_leeway"],
        "dpop_replay": policy["dpop_replay"] != "off",
    }
    if "dpop_nonce_key" in policy:
        options["dpop_nonce"] = True
        options["dpop_nonce_key"] = bytes.fromhex(policy["dpop_nonce_key"])
        options["dpop_nonce_lifetime"] = policy["dpop_nonce_lifetime"]
    return options


def steps(case):
    """The requests of a case, in order; the last one is what it is about."""
    return [*case.get("before", ()), case]


class Documents:
    """What an issuer serves: each fetch gives the next version of a document, the last one for ever."""

    def __init__(self, documents):
        self.documents = dict(documents)
        self.fetched = []

    def body(self, url):
        self.fetched.append(url)
        version = self.documents.get(url, {"missing": True})
        self.documents[url] = version.get("then", version)
        if "missing" in version:
            return None
        if "status" in version:
            return version["status"]
        if "file" in version:
            return document(version["file"])
        return version["raw"].encode() if "raw" in version else json.dumps(version["json"]).encode()

    async def fetch(self, url):
        body = self.body(url)
        if body is None:
            raise ConnectionError("the vector says that this can't be fetched")
        return Response(body) if isinstance(body, bytes) else Response(b"", body)


class Response:
    headers = ()

    def __init__(self, content, status_code=200):
        self.content = content
        self.status_code = status_code


def decided(engine, step, issuer):
    request, now = step["request"], step["now"]
    if "proof_alone" in step:
        return engine.verify_dpop_proof(*token_and_proof(step), request["method"], request["url"], now)
    if "required_claims" in step:
        outcome = engine.verify_access_token(bearer_token(step), step["required_claims"], now)
    else:
        fields, method, url = raw_headers(step), request["method"], request["url"]
        outcome = engine.verify_request(fields, method, url, now, guidance_of(step), **shown(step))
    if not isinstance(outcome, _native.Decision):
        return outcome
    while isinstance(needed := outcome.next(now), (_native.DocumentNeeded, _native.IntrospectionNeeded)):
        body = issuer.body(needed.url)
        if isinstance(needed, _native.IntrospectionNeeded):
            introspected(engine, needed, body, now)
        elif body is None:
            engine.documents.unreachable(needed, now)
        elif isinstance(body, bytes):
            engine.documents.answered(needed, 200, [], body, now)
        else:
            engine.documents.answered(needed, body, [], b"", now)
    return needed


def introspected(engine, needed, body, now):
    if body is None:
        engine.introspection_failed(needed, now)
    elif isinstance(body, bytes):
        engine.introspected(needed, 200, [], body, now)
    else:
        engine.introspected(needed, body, [], b"", now)


async def verified(api_client, step):
    request = step["request"]
    if "required_claims" in step:
        return await api_client.verify_access_token(bearer_token(step), required_claims=step["required_claims"])
    if "proof_alone" in step:
        return await api_client.verify_dpop_proof(*token_and_proof(step), request["method"], request["url"])
    guidance = api_client.guidance(step.get("guidance", {}).get("scopes", ()))
    facts = RequestFacts(headers_of(step), request["method"], request["url"], **shown(step))
    passed = await api_client._conclude(api_client._begin(facts, guidance), facts)
    return Verified(passed.claims(), passed.dpop_nonce)


async def verified_shortly(api_client, step):
    request = step["request"]
    if "required_claims" in step or "proof_alone" in step or step.get("guidance", {}).get("scopes"):
        return await verified(api_client, step)
    names = {"certificate": "client_certificate"}
    more = {names.get(name, name): value for name, value in shown(step).items()}
    claims = await api_client.verify_request(headers_of(step), request["method"], request["url"], **more)
    # It returns no nonce for the answer.
    return Verified(claims, step["expect"].get("dpop_nonce"))


def headers_of(step):
    pairs = step["request"]["headers"]
    headers = dict(pairs)
    if len(headers) < len(pairs) or not "".join(headers.values()).isascii():
        # What a mapping of texts can't hold, frameworks hold as bytes.
        return Headers(raw=raw_headers(step))
    return headers


def outcome_of(verify):
    try:
        return verify()
    except BaseAuthError as error:
        return error


def check(step, outcome, issuer, answering):
    """`outcome`: claims, or the error. `answering`: who words the refusal of a good token that lacks scopes."""
    expect = step["expect"]
    outcome, nonce = outcome if isinstance(outcome, Verified) else (outcome, None)
    required = step.get("required_scopes", [])
    wanted = dict(step.get("requirement", {}))
    unfit = wanted.pop("unfit", False)
    requirement = Requirement(**{"scopes": required, **wanted})
    if isinstance(outcome, dict) and requirement:
        outcome = unmet(answering, outcome, requirement, step) or outcome
    if isinstance(outcome, dict) and unfit:
        outcome = answering.unfit(None, authorization(step))
    if isinstance(outcome, dict):
        # As text, since 1 == 1.0 == True.
        assert text(outcome) == text(expect.get("claims")), expect
        assert nonce == expect.get("dpop_nonce")
    elif isinstance(outcome, IssuerUnavailableError):
        assert (expect["outcome"], expect["status"]) == ("unavailable", outcome.get_status_code())
        assert outcome.get_error_code() == "temporarily_unavailable"
        assert int(outcome.get_headers().pop("Retry-After")) > 0
        assert set(outcome.get_headers()) == {"Retry-After"}
    else:
        actual = {
            "outcome": "rejected",
            "code": outcome.code,
            "status": outcome.get_status_code(),
            "error": outcome.get_error_code(),
            "error_description": outcome.get_error_description(),
            "www_authenticate": outcome.get_headers().get("WWW-Authenticate"),
        }
        names = {"WWW-Authenticate"} if expect["www_authenticate"] else set()
        if "dpop_nonce" in expect:
            actual["dpop_nonce"] = outcome.get_headers()["DPoP-Nonce"]
            names.add("DPoP-Nonce")
        assert actual == expect
        assert set(outcome.get_headers()) == names
        assert str(outcome) == expect["error_description"]
    assert issuer.fetched == step["fetched"]
    issuer.fetched.clear()


def unmet(answering, claims, requirement, step):
    """The error for a requirement that isn't met; by the engine, or by a client."""
    if isinstance(answering, ApiClient):
        guidance = answering.guidance(step.get("guidance", {}).get("scopes", ()))
        return answering.unmet(claims, requirement, authorization(step), guidance)
    scope_claim = step.get("policy", {}).get("scope_claim")
    wanted = requirement.unmet(claims, scope_claim)
    return answering.unmet(*wanted, authorization(step), step["now"], guidance_of(step))


def resource_of(step):
    return ProtectedResource(step["guidance"]["resource"]) if "guidance" in step else None


def guidance_of(step):
    """What the challenge says besides the error."""
    if "guidance" not in step:
        return None
    resource = _native.ProtectedResource(step["guidance"]["resource"])
    assert resource.metadata_url == step["guidance"]["metadata_url"]
    return _native.Guidance(resource, step["guidance"]["scopes"])


def text(claims):
    return json.dumps(claims, sort_keys=True)


def raw_headers(step):
    """As an ASGI server gives them."""
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in step["request"]["headers"]]


def authorization(step):
    return next(value for name, value in step["request"]["headers"] if name.lower() == "authorization")


def token_and_proof(step):
    (_, field), (_, proof) = step["request"]["headers"]
    return field.split()[1], proof


def bearer_token(step):
    return step["request"]["headers"][0][1].split()[1]
