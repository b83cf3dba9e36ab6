"""Issuers gone wrong: bounded time, bounded memory, and the good keys stay in use. Real https."""

import asyncio
import gzip
import json
import os
import resource
import threading
import time
import tracemalloc

import pytest

from bearward import ApiClient, ApiClientOptions, IssuerUnavailableError
from support import AUDIENCE, KEY, Tenant

DISCOVERY, KEYS = "/.well-known/openid-configuration", "/.well-known/jwks.json"
TIMEOUT = 0.5
MIB = 1024 * 1024
# One body of the size allowed, copied as it grows, and what the network's buffers and TLS hold.
MOST_MEMORY = 8 * MIB
# What a server can send into buffers that nobody reads any more.
MOST_ON_THE_WIRE = 16 * MIB


def head(handler, status=200, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.flush()


def hang(handler):
    handler.server.issuer.ended.wait(20)


def hang_after_head(handler):
    head(handler, Content_Length="100")
    handler.server.issuer.ended.wait(20)


def drip(handler):
    head(handler, Content_Length="100000")
    while not handler.server.issuer.ended.wait(0.02):
        handler.wfile.write(b" ")


def drip_head(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.issuer.ended.wait(0.02):
        handler.wfile.write(b"X: y\r\n")


def pour(handler, block, count):
    for _ in range(count):
        handler.wfile.write(block)
        handler.server.issuer.poured += len(block)


def huge(handler):
    head(handler, Content_Length=str(150 * MIB))
    pour(handler, b" " * 65536, 150 * 16)


def endless(handler):
    head(handler, Transfer_Encoding="chunked")
    pour(handler, b"10000\r\n" + b" " * 65536 + b"\r\n", 150 * 16)


def endless_head(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    pour(handler, b"X: " + b"y" * 1000 + b"\r\n", 150 * 1024)


BOMB = gzip.compress(b" " * (200 * MIB), compresslevel=6)


def bomb(handler):
    head(handler, Content_Encoding="gzip", Content_Length=str(len(BOMB)))
    handler.wfile.write(BOMB)


def bomb_behind_gzip_trailer(handler):
    tiny = gzip.compress(b"{}")
    head(handler, Content_Encoding="gzip", Content_Length=str(len(tiny) + 150 * MIB))
    handler.wfile.write(tiny)
    pour(handler, b" " * 65536, 150 * 16)


def garbage(handler):
    handler.wfile.write(b"\x00\xff not http at all\r\n\r\n")


def reset(handler):
    handler.connection.close()


def cut(handler):
    head(handler, Content_Length="1000")
    handler.wfile.write(b'{"keys": [')


def answer(body, status=200, **headers):
    def send(handler):
        head(handler, status, Content_Length=str(len(body)), **headers)
        handler.wfile.write(body)

    return send


GOOD_KEYS = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
BEHAVIOURS = {
    "hang": hang,
    "hang_after_head": hang_after_head,
    "drip": drip,
    "drip_head": drip_head,
    "huge": huge,
    "endless": endless,
    "endless_head": endless_head,
    "bomb": bomb,
    "bomb_behind_gzip_trailer": bomb_behind_gzip_trailer,
    "brotli": answer(b"\x8b\x02\x80{}\x03", Content_Encoding="br"),
    "twice_gzip": answer(gzip.compress(gzip.compress(GOOD_KEYS)), Content_Encoding="gzip, gzip"),
    "cut_gzip": answer(gzip.compress(GOOD_KEYS)[:-12], Content_Encoding="gzip"),
    "garbage": garbage,
    "reset": reset,
    "cut": cut,
    "html": answer(b"<!doctype html><p>Sign in to the hotel's network", Content_Type="text/html"),
    "too_many_requests": answer(b"", 429, Retry_After="2"),
    "deep": answer(b"[" * 500_000),
    "redirect": answer(GOOD_KEYS, 302, Location="/elsewhere"),
    "redirect_without_location": answer(GOOD_KEYS, 301),
    "no_content": answer(b"", 204),
    "server_error": answer(GOOD_KEYS, 500),
}
# The time limit ends these.
ENDLESS = {"hang", "hang_after_head", "drip", "drip_head"}


@pytest.fixture
def issuer(https_issuer):
    https_issuer.server.issuer = https_issuer
    https_issuer.poured = 0
    return https_issuer


def client_of(issuer, **options):
    return ApiClient(ApiClientOptions(domain=issuer.tenant.domain, audience=AUDIENCE, fetch_timeout=TIMEOUT, **options))


def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


class Memory:
    """The most memory that a block of code took: by Python's own account, and resident, by looking every 2 ms."""

    def __enter__(self):
        self._over = threading.Event()
        self._resident = [rss()]
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        tracemalloc.start()
        tracemalloc.reset_peak()
        return self

    def _look(self):
        while not self._over.wait(0.002):
            self._resident.append(rss())

    def __exit__(self, *_):
        self.traced = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        self._over.set()
        self._watch.join()
        self.resident = max(self._resident) - self._resident[0]


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads memory from /proc")
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_bounded_and_the_good_keys_stay(issuer, clock, behaviour, report):
    api_client, tenant = client_of(issuer), issuer.tenant
    headers = tenant.authorization()
    await api_client.verify_request(headers)
    issuer.answers[KEYS] = issuer.answers[DISCOVERY] = BEHAVIOURS[behaviour]
    # Past its time, so the request waits for news, which is none.
    clock.ahead = 1000
    begin = time.monotonic()
    with Memory() as memory:
        assert (await api_client.verify_request(headers))["sub"] == "auth0|1234"
    took = time.monotonic() - begin
    assert took < 2 * TIMEOUT + 1
    assert memory.traced < MOST_MEMORY
    assert memory.resident < 2 * MOST_MEMORY
    assert issuer.poured < MOST_ON_THE_WIRE
    assert (await api_client.verify_request(headers))["sub"] == "auth0|1234"
    report(
        f"{behaviour}: {took:.2f} s, {memory.traced / MIB:.1f} MiB traced, {memory.resident / MIB:.1f} MiB resident, "
        f"{issuer.poured / MIB:.1f} MiB sent"
    )


@pytest.mark.parametrize(("path", "document"), [(DISCOVERY, "discovery"), (KEYS, "key_set")])
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_from_the_start_it_is_503_in_time(issuer, path, document, behaviour, caplog):
    api_client = client_of(issuer)
    issuer.answers[path] = BEHAVIOURS[behaviour]
    begin = time.monotonic()
    with pytest.raises(IssuerUnavailableError) as refusal:
        await api_client.verify_request(issuer.tenant.authorization())
    assert time.monotonic() - begin < 2 * TIMEOUT + 1
    assert int(refusal.value.get_headers()["Retry-After"]) >= 1
    (said,) = [record.getMessage() for record in caplog.records if record.name == "bearward"]
    assert said.startswith(f"no usable {document} document from localhost: ")
    assert ("no answer within" in said) == (behaviour in ENDLESS), said
    # A connection that was used before, and ends without an answer, is no failure yet.
    keys = [KEYS, KEYS] if behaviour == "reset" else [KEYS]
    assert issuer.requests == ([DISCOVERY] if path == DISCOVERY else [DISCOVERY, *keys])


async def test_nothing_listens(issuer):
    api_client = client_of(issuer)
    issuer.close()
    with pytest.raises(IssuerUnavailableError):
        await api_client.verify_request(issuer.tenant.authorization())


async def test_a_document_that_is_stored_compressed_is_fine(issuer):
    issuer.answers[KEYS] = (200, {"Content-Encoding": "gzip"}, gzip.compress(GOOD_KEYS))
    assert await client_of(issuer).verify_request(issuer.tenant.authorization())


async def test_requests_for_other_issuers_do_not_wait_for_one_that_hangs():
    quick, slow = Tenant("quick.example"), Tenant("slow.example")

    async def fetch(url):
        if url.startswith(slow.issuer):
            await asyncio.Event().wait()
        return await quick.fetch(url)

    domains = [quick.domain, slow.domain]
    api_client = ApiClient(ApiClientOptions(domains=domains, audience=AUDIENCE, custom_fetch=fetch))
    waiting = asyncio.ensure_future(api_client.verify_access_token(slow.token()))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(api_client.verify_access_token(quick.token()), 2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
