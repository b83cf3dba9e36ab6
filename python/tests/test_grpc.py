"""The gRPC example in Rust, under a client that we did not write: grpc's own for Python."""

import local
import pytest
from proofs import Prover

grpc = pytest.importorskip("grpc", reason="grpcio is not installed: pip install grpcio")

WHO_AM_I = "/bearward.example.v1.Messages/WhoAmI"
LIST = "/bearward.example.v1.Messages/List"
WRITE = "/bearward.example.v1.Messages/Write"
CHECK = "/grpc.health.v1.Health/Check"


@pytest.fixture
def service(local_tenant, tmp_path):
    """Its URL."""
    with (tmp_path / "log").open("w+") as log, running(log, local_tenant.environment()) as url:
        yield url


def running(log, environment):
    if not local.TONIC_EXAMPLE.exists():
        pytest.skip(f"{local.TONIC_EXAMPLE} is not built: `cargo build -p bearward-example-tonic`")
    return local.rust_example(log, local.TONIC_EXAMPLE, environment)


@pytest.fixture
def call(service):
    with grpc.insecure_channel(service.removeprefix("http://")) as channel:

        def call(method, message=b"", **fields):
            return answer(channel, method, message, fields)

        yield call


def answer(channel, method, message, fields):
    """The reply's octets and "OK"; or nothing, and the name of the status with its metadata."""
    asked = channel.unary_unary(method, request_serializer=None, response_deserializer=None)
    try:
        reply = asked(message, metadata=list(fields.items()), timeout=10)
    except grpc.RpcError as error:
        return b"", error.code().name, dict(error.trailing_metadata())
    return reply, "OK", {}


def text(value, tag=1):
    """A message with one string in it."""
    octets = value.encode()
    return bytes([tag << 3 | 2, len(octets)]) + octets


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def test_without_a_token_only_the_public_method_answers(call):
    for method in (WHO_AM_I, LIST, WRITE, "/bearward.example.v1.Messages/Unknown", "/other.Service/Method"):
        _, status, metadata = call(method)
        assert (status, metadata["www-authenticate"]) == ("UNAUTHENTICATED", 'Bearer realm="api", DPoP algs="ES256"')
    assert call(CHECK) == (b"\x08\x01", "OK", {})


def test_tokens_and_scopes(call, local_tenant):
    sub = "auth0|ann"
    read, write = (local_tenant.token(claims={"sub": sub, "scope": f"{verb}:messages"}) for verb in ("read", "write"))
    assert call(WHO_AM_I, **bearer(read)) == (text(sub), "OK", {})
    assert call(WRITE, text("hello"), **bearer(write)) == (b"\x08\x01", "OK", {})
    assert call(LIST, **bearer(read)) == (text(f"{sub}: hello"), "OK", {})
    for method, token in ((WRITE, read), (LIST, write)):
        _, status, metadata = call(method, **bearer(token))
        assert status == "PERMISSION_DENIED"
        assert "insufficient_scope" in metadata["www-authenticate"]
    _, status, metadata = call(WHO_AM_I, **bearer(local_tenant.token(expires_in=-60)))
    assert status == "UNAUTHENTICATED"
    assert "invalid_token" in metadata["www-authenticate"]


def test_dpop(call, service, local_tenant):
    client = Prover()
    token = local_tenant.token(claims={"cnf": {"jkt": client.thumbprint}})
    proof = client.proof(f"{service}{WHO_AM_I}", token, "POST")
    fields = {"authorization": f"DPoP {token}", "dpop": proof}
    assert call(WHO_AM_I, **fields)[1] == "OK"
    _, status, metadata = call(WHO_AM_I, **fields)
    assert status == "UNAUTHENTICATED"
    assert "invalid_dpop_proof" in metadata["www-authenticate"]
    assert call(WHO_AM_I, **bearer(token))[1] == "UNAUTHENTICATED"


def test_an_issuer_that_is_down(local_tenant, tmp_path):
    domain = f"127.0.0.1:{local.free_port()}"
    token = local_tenant.token(claims={"iss": f"https://{domain}/"})
    with (tmp_path / "log").open("w+") as log:
        service = running(log, {**local_tenant.environment(), "AUTH0_DOMAIN": domain})
        with service as url, grpc.insecure_channel(url.removeprefix("http://")) as channel:
            _, status, metadata = answer(channel, WHO_AM_I, b"", bearer(token))
            assert (status, int(metadata["retry-after"]) >= 1) == ("UNAVAILABLE", True)
            assert answer(channel, CHECK, b"", {}) == (b"\x08\x02", "OK", {})
