"""Verifies in a process, in its child and in the child's child; each has to fetch keys. In the environment: nothing."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))

from joserfc.jwk import RSAKey

from bearward import ApiClient, ApiClientOptions
from support import AUDIENCE, Tenant

tenant = Tenant()
client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))


def verify():
    assert client.verify_request_sync(tenant.authorization())["sub"] == "auth0|1234"
    sys.stdout.write(f"{len(tenant.fetched)} ")
    sys.stdout.flush()


def in_child(work):
    child = os.fork()
    if child == 0:
        work()
        # As a worker ends: what is to be done at exit is done.
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0


def other_key():
    tenant.key = RSAKey.generate_key(2048, {"kid": f"key of {os.getpid()}", "use": "sig", "alg": "RS256"})
    tenant.token = lambda **claims: Tenant.token(tenant, header={"kid": tenant.key.kid}, **claims)


def child():
    other_key()
    verify()
    # Nothing to fetch for itself here: this child only forks.
    in_child(lambda: in_child(verify_anew))
    verify()


def verify_anew():
    client._build()
    verify()


verify()
in_child(child)
# The loop of this process is as it was.
other_key()
verify()
