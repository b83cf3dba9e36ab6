"""Runs the local tenant and the example until Ctrl-C, and prints how to use them."""

from __future__ import annotations

import shlex
import signal
import sys

import local

SCOPE = "read:messages"


def main() -> int:
    """Run both until a signal comes."""
    local.end_in_order()
    try:
        _run()
    except KeyboardInterrupt:
        print("Stopped.")
    return 0


def _run() -> None:
    out = sys.stderr
    with local.tenant(out, "--scope", SCOPE, port=local.free_port(4400)) as tenant:
        environment = tenant.environment()
        with local.uvicorn(out, local.EXAMPLE, environment, port=local.free_port(8000)) as url:
            print(_welcome(tenant, url), flush=True)
            signal.pause()


def _welcome(tenant: local.LocalTenant, url: str) -> str:
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in tenant.client_environment().items())
    return f"""
Tenant      {tenant.issuer}
Example     {url}/api/private
Docs        {url}/docs

A request with a token:

  curl -i {url}/api/messages -H 'Authorization: Bearer {tenant.request_token()}'

Another token, from another terminal:

  {variables} {local.BEARWARD} token

Ctrl-C stops both.
"""


if __name__ == "__main__":
    sys.exit(main())
